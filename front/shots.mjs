// Pictures of the previewed pages at 1200 and 320 px, console errors, sideways scrolling and axe's findings.
// Called by preview.py. playwright-core and axe-core are those of tests/e2e (or of the folder in E2E).
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';
import {readFileSync} from 'node:fs';
const require = createRequire((process.env.E2E ?? fileURLToPath(new URL('../tests/e2e', import.meta.url))) + '/');
const {chromium} = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const [base, out, scheme, ...names] = process.argv.slice(2);
const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu']});
for (const [size, viewport] of [['1200', {width: 1200, height: 900}], ['320', {width: 320, height: 700}]]) {
  const context = await browser.newContext({viewport, locale: 'fr-FR', timezoneId: 'Europe/Paris', colorScheme: scheme});
  const page = await context.newPage();
  let here = '';
  page.on('console', (m) => { if (m.type() === 'error') console.log('CONSOLE', here, m.text()); });
  page.on('pageerror', (e) => console.log('ERROR', here, e.message));
  for (const name of names) {
    here = `${name} ${size}`;
    await page.goto(`${base}${name}.html`, {waitUntil: 'networkidle'});
    await page.screenshot({path: `${out}/${name}-${size}${scheme === 'dark' ? '-dark' : ''}.png`, fullPage: true});
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) console.log('WIDE', here, wide);
    await page.evaluate(axe);
    const found = await page.evaluate(() => globalThis.axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}));
    for (const v of found.violations) {
      console.log('AXE', here, v.id, v.nodes.length, v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).join(' | '));
    }
  }
  await context.close();
}
await browser.close();
