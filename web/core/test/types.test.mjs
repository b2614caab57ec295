import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

test('the types fit what the README does', async () => {
  const at = (path) => fileURLToPath(new URL(path, import.meta.url));
  await promisify(execFile)(process.execPath, [at('../node_modules/typescript/bin/tsc'), '-p', at('tsconfig.json')]).catch(
    (error) => {
      throw new Error(error.stdout);
    },
  );
});
