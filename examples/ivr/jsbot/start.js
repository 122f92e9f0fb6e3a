// Runs the bot against the service, over TLS: makes a certificate, builds the service, and starts
// bot.js, which trusts that certificate. Needs Go and Node.js from version 18 on.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));

// run runs a program in a folder until it ends, and returns its exit status.
async function run(folder, program, args, env = {}) {
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [status] = await once(child, "exit");
  return status ?? 1; // a signal has ended it
}

// must is run for what can only succeed.
async function must(folder, program, args) {
  const status = await run(folder, program, args);
  if (status !== 0) {
    throw new Error(`${program} ${args.join(" ")}: exit status ${status}`);
  }
}

const folder = await mkdtemp(join(tmpdir(), "jsbot-"));
try {
  const root = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
  await must(folder, "go", ["run", join(root, "src/crypto/tls/generate_cert.go"),
    "-host", "127.0.0.1", "-ca"]);
  const program = join(folder, "ivr");
  await must(here, "go", ["build", "-o", program, ".."]);
  process.exitCode = await run(here, process.execPath, ["bot.js", program, folder], {
    NODE_EXTRA_CA_CERTS: join(folder, "cert.pem"), // read once, when Node.js starts
  });
} finally {
  await rm(folder, { recursive: true });
}
