/** What tells a process from all others, of this machine and of others, as far as the system says. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Of the machine, new each time it starts. */
  readonly boot?: string;
  /** Where the pid counts: containers have pids of their own. */
  readonly pidNamespace?: string;
  /** When the process started, as its system tells it: a later process may get the same pid. */
  readonly started?: string;
  /** Of a worker thread: its process may live on without it. */
  readonly thread?: { readonly id: number; readonly started: string };
}
