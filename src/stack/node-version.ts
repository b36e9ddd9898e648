/** Whether this Node has what Reprise is built on. */

const oldest = 24;

/** One line for whoever runs an older Node; undefined on a Node that will do. */
export function complainAboutNode(version: string = process.versions.node): string | undefined {
  if (Number(version.split(".")[0]) >= oldest) return undefined;
  return `Reprise needs Node ${oldest} or newer, and this is Node ${version}. Install it, for instance with: npm install node@${oldest}`;
}
