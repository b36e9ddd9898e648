/** A stack: where artifacts and metadata live and where steps run. The only room that names concrete adapters. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openFolder } from "../blob/folder.ts";
import { durationHint, toMilliseconds } from "../define/duration.ts";
import { suggestName } from "../define/suggest-name.ts";
import { openCodeIndex, type ProjectIndex } from "../code/index.ts";
import type { StepOptions } from "../define/options.ts";
import { UsageError } from "../error.ts";
import { openObserver } from "../observe/open-observer.ts";
import { createRegistry } from "../materializer/registry.ts";
import type { HistoryPorts } from "../history/ports.ts";
import { closeStore } from "../runner/leases.ts";
import { openLooker } from "../runner/open-looker.ts";
import type { RunnerPorts } from "../runner/ports.ts";
import { openSqlite } from "../sql/sqlite.ts";
import type { BlobStore } from "../store/blob-store.ts";
import { openMemoryBlobStore } from "../store/memory-blob-store.ts";
import { openContentStore, type ContentStore } from "../store/content-store.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { openSalt, openSecretKey } from "./salt.ts";
import { openOverflow } from "../store/overflow.ts";
import { openSizedBlobStore } from "../store/sized-blob-store.ts";
import { loadConfig, type LoadedConfig } from "./config.ts";
import type { Config, StackConfig } from "./define-config.ts";
import { makeStoreFolder, metadataFile, refuseEmptied } from "./store-folder.ts";
import { repriseVersion } from "./version.ts";

export interface Stack extends RunnerPorts, HistoryPorts, AsyncDisposable {
  /** The store's folder, absolute. */
  readonly storePath: string;
  /** False when there is no store: then it is empty, and whatever is written to it is kept in memory alone. */
  readonly hasStore: boolean;
  readonly code: ProjectIndex;
  /** Opens a store of bytes in a temporary folder, which goes when it is closed. */
  openScratch(): Promise<ContentStore>;
  readonly config: Config;
  /** Undefined when the project has no configuration file. */
  readonly configPath: string | undefined;
}

export interface OpenStackOptions {
  /** Where to look for the project; the current folder by default. */
  readonly cwd?: string;
  /** A configuration file, instead of the one found. */
  readonly config?: string;
  /** The store's folder, relative to `cwd`; wins over `REPRISE_STORE`, which wins over the configuration. */
  readonly store?: string;
  /** A stack's name; wins over `REPRISE_STACK`, `reprise stack set` and the configuration. */
  readonly stack?: string;
  /** `run` makes a store that is missing; `look` leaves no trace of having looked. Default: `run`. */
  readonly purpose?: "run" | "look";
}

/** A stack as it is configured, before anything is opened. */
export interface StackDescription {
  readonly name: string;
  readonly storePath: string;
  readonly jobs: number;
  readonly defaults: StepOptions;
  readonly active: boolean;
}

/** Opens the stack that the options, the environment and the configuration choose. */
export async function openStack(options: OpenStackOptions = {}): Promise<Stack> {
  const cwd = resolve(options.cwd ?? process.cwd());
  const loaded = await loadConfig(cwd, options.config);
  const description = describeStack(loaded, activeStackName(loaded, options.stack), options.store, cwd);
  const { storePath } = description;
  const hasStore = options.purpose !== "look" || existsSync(metadataFile(storePath));
  const { metadata, blobs } = hasStore ? await openStore(storePath) : await openEmptyStore();
  const salt = openSalt(storePath);
  const open: Stack["openObserver"] = (files) => openObserver({ root: loaded.root, storePath, salt, files });
  const overflow = openOverflow(blobs);
  return {
    ...description,
    hasStore,
    root: loaded.root,
    metadata,
    blobs,
    content: openContentStore(overflow.blobs),
    overflow,
    registry: createRegistry(loaded.config.materializers ?? []),
    code: openCodeIndex({ root: loaded.root, stateDir: hasStore ? join(storePath, "code") : undefined }),
    openObserver: open,
    secretKey: openSecretKey(storePath),
    openScratch,
    checkTraces: async (traces) => await openLooker({ openObserver: open, metadata }).check(traces),
    leaseMs: readLeaseMs(process.env.REPRISE_LEASE || undefined),
    version: repriseVersion,
    config: loaded.config,
    configPath: loaded.path,
    async [Symbol.asyncDispose]() {
      await closeStore(metadata);
      await blobs[Symbol.asyncDispose]();
    },
  };
}

interface Store {
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
}

async function openStore(storePath: string): Promise<Store> {
  makeStoreFolder(storePath);
  await refuseEmptied(storePath);
  const metadata = await openSqlite({ path: metadataFile(storePath) });
  const large = await openFolder({ path: storePath });
  return { metadata, blobs: openSizedBlobStore({ small: metadata.blobs, large }) };
}

async function openEmptyStore(): Promise<Store> {
  const { openMemoryMetadataStore } = await import("../store/memory-metadata-store.ts");
  return { metadata: openMemoryMetadataStore(), blobs: openMemoryBlobStore() };
}

async function openScratch(): Promise<ContentStore> {
  const path = await mkdtemp(join(tmpdir(), "reprise-scratch-"));
  const content = openContentStore(await openFolder({ path, durability: "none" }));
  const close = content[Symbol.asyncDispose].bind(content);
  return Object.assign(content, {
    async [Symbol.asyncDispose]() {
      await close();
      await rm(path, { recursive: true, force: true, maxRetries: 2 });
    },
  });
}

/** Every configured stack, `default` first. */
export async function listStacks(options: OpenStackOptions = {}): Promise<readonly StackDescription[]> {
  const cwd = resolve(options.cwd ?? process.cwd());
  const loaded = await loadConfig(cwd, options.config);
  return stackNames(loaded.config).map((name) => describeStack(loaded, name, options.store, cwd, options.stack));
}

/** Makes a stack the one that is used when none is named. */
export async function setActiveStack(name: string, options: OpenStackOptions = {}): Promise<void> {
  const loaded = await loadConfig(resolve(options.cwd ?? process.cwd()), options.config);
  stackConfig(loaded.config, name);
  const folder = join(loaded.root, ".reprise");
  makeStoreFolder(folder);
  writeFileSync(join(folder, activeStackFile), `${name}\n`);
}

const activeStackFile = "active-stack";
const defaultStack = "default";

function activeStackName({ config, root }: LoadedConfig, asked: string | undefined): string {
  const chosen = asked ?? (process.env.REPRISE_STACK || undefined);
  if (chosen !== undefined) return chosen;
  const path = join(root, ".reprise", activeStackFile);
  const set = existsSync(path) ? readFileSync(path, "utf8").trim() : "";
  return set === "" ? (config.stack ?? defaultStack) : set;
}

function describeStack(
  loaded: LoadedConfig,
  name: string,
  store: string | undefined,
  cwd: string,
  asked?: string,
): StackDescription {
  const { config, root } = loaded;
  const own = stackConfig(config, name);
  const environment = process.env.REPRISE_STORE || undefined;
  const storePath =
    store === undefined && environment === undefined
      ? resolve(root, own.store ?? config.store ?? ".reprise")
      : resolve(cwd, store ?? (environment as string));
  return {
    name,
    storePath,
    jobs: own.jobs ?? config.jobs ?? availableParallelism(),
    defaults: { ...config.defaults, ...own.defaults },
    active: name === activeStackName(loaded, asked),
  };
}

function stackConfig(config: Config, name: string): StackConfig {
  const own = config.stacks?.[name];
  if (own !== undefined || name === defaultStack) return own ?? {};
  const names = stackNames(config);
  const near = suggestName(name, names);
  throw new UsageError("RPS6002", `There is no stack "${name}"`, {
    hint: near === undefined ? `Known stacks: ${names.join(", ")}` : `Did you mean "${near}"?`,
  });
}

function stackNames(config: Config): readonly string[] {
  return [defaultStack, ...Object.keys(config.stacks ?? {}).filter((name) => name !== defaultStack)];
}

const defaultLease = "60s";

function readLeaseMs(asked: string = defaultLease): number {
  const leaseMs = toMilliseconds(asked);
  if (leaseMs !== undefined && leaseMs > 0) return leaseMs;
  throw new UsageError("RPS6003", `REPRISE_LEASE is "${asked}", which is no duration`, { hint: durationHint });
}
