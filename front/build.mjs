// Makes what ../assets holds: the stylesheet, the icon sprite and the govuk-frontend module.
// The result is committed so that `cargo build` needs no Node; `npm run css` must leave no diff.
import {copyFileSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {brotliCompressSync, gzipSync} from 'node:zlib';
import * as sass from 'sass';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

function stylesheet() {
  const {css} = sass.compile(here('./guichet.scss'), {
    style: 'compressed',
    charset: false,
    quietDeps: true,
    loadPaths: [here('./node_modules/govuk-frontend/dist')],
  });
  writeFileSync(here('../assets/guichet.css'), css + '\n');
}

// One <symbol> per Lucide file: the drawing is kept, the wrapper and its comment go.
function sprite() {
  const symbols = readdirSync(here('./icons')).filter((f) => f.endsWith('.svg')).sort().map((file) => {
    const svg = readFileSync(here(`./icons/${file}`), 'utf8');
    const body = svg.replace(/<!--.*?-->/gs, '').replace(/^.*?<svg[^>]*>/s, '').replace(/<\/svg>\s*$/s, '')
      .replace(/\s+/g, ' ').replace(/ ?\/> ?/g, '/>').trim();
    return `<symbol id="${file.slice(0, -4)}" viewBox="0 0 24 24" fill="none" stroke="currentColor" `
      + `stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${body}</symbol>`;
  });
  writeFileSync(here('../assets/icons.svg'),
    '<svg xmlns="http://www.w3.org/2000/svg"><!-- Lucide, ISC and MIT: see NOTICE -->\n' + symbols.join('\n') + '\n</svg>\n');
}

function govuk() {
  const text = readFileSync(here('./node_modules/govuk-frontend/dist/govuk/govuk-frontend.min.js'), 'utf8');
  // The source map is not shipped.
  writeFileSync(here('../assets/govuk-frontend.min.js'), text.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'));
}

// The typeface travels inside its sheet (a data: address), so that one hashed name covers both.
function fonts() {
  const font = readFileSync(here('./fonts/bricolage-700.woff2')).toString('base64');
  writeFileSync(here('../assets/fonts.css'), '@font-face{font-family:"Bricolage Grotesque";font-weight:600 800;font-display:swap;'
    + `src:url(data:font/woff2;base64,${font}) format("woff2")}\n`
    + ':root{--g-heading-font:"Bricolage Grotesque",-apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif}\n');
}

stylesheet();
fonts();
sprite();
govuk();
copyFileSync(here('./app.js'), here('../assets/app.js'));
copyFileSync(here('./init.js'), here('../assets/init.js'));

const files = ['guichet.css', 'fonts.css', 'icons.svg', 'govuk-frontend.min.js', 'app.js', 'init.js', 'hero.svg', 'blason.svg'];
let total = 0;
for (const file of files) {
  const bytes = readFileSync(here(`../assets/${file}`));
  const br = brotliCompressSync(bytes).length;
  total += br;
  console.log(file.padEnd(24), `${bytes.length} bytes, gzip ${gzipSync(bytes, {level: 9}).length}, brotli ${br}`);
}
console.log('total brotli', total);
