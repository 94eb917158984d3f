// The Nu Html Checker over all the pages that the journeys met, in one run of Java.
// Usage: node vnu.mjs FOLDER

import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const JAR = fileURLToPath(new URL('node_modules/vnu-jar/build/dist/vnu.jar', import.meta.url));

// The checker's messages: [{ type, subType, url, lastLine, message, extract }].
async function messages(files) {
  const args = ['-Xss1m', '-jar', JAR, '--format', 'json', '--exit-zero-always', ...files];
  const stderr = await new Promise((resolve, reject) => {
    execFile('java', args, { maxBuffer: 256 << 20 }, (error, _, text) =>
      error ? reject(new Error(`vnu: ${text || error.message}`)) : resolve(text));
  });
  return JSON.parse(stderr).messages;
}

// Checks each page kept in the folder; returns the number of errors. Warnings are only shown.
export async function checkFolder(folder) {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.html'));
  if (files.length === 0) throw new Error(`no page to check in ${folder}`);
  let errors = 0;
  for (const found of await messages(files.map((name) => path.join(folder, name)))) {
    const warning = found.type === 'info';
    if (!warning) errors += 1;
    const file = fileURLToPath(found.url ?? 'file:///unknown');
    const address = await readFile(`${file}.url`, 'utf8').catch(() => file);
    const what = `${warning ? 'warning' : 'error'}: ${address}:${found.lastLine ?? '?'}: ${found.message}`;
    console.log(`vnu ${what}\n    ${(found.extract ?? '').replaceAll('\n', ' ')}`);
  }
  console.log(`vnu: ${files.length} pages, ${errors} errors`);
  return errors;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (!folder) throw new Error('usage: node vnu.mjs FOLDER');
  process.exitCode = (await checkFolder(folder)) > 0 ? 1 : 0;
}
