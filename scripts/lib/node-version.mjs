// Says in plain words when Node is too old, before any newer syntax or package can fail in stranger ways.

/** @param {string} version as in process.versions.node */
export function isSupported(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  // Odd releases that have ended, and the first 22s, are left out by the tools that build and check this project.
  return (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24;
}

export function requireSupportedNode() {
  if (isSupported(process.versions.node)) return;
  process.stderr.write(
    `Portcullis needs Node.js 20.19 or newer (from the 22 line: 22.12 or newer).\n` +
      `This is Node.js ${process.versions.node}, at ${process.execPath}.\n` +
      `Install a newer one, for example from https://nodejs.org, then run the same command again.\n`,
  );
  process.exit(1);
}
