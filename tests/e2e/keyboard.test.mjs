// An agent's whole work by keyboard alone: from the list, by the search box, to a request, what is done with it,
// and the next one; and the box that tells, on a page left open, that a colleague is at work too.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { start } from './lib.mjs';

let city;
before(async () => { city = await start(); });
after(() => city?.stop());

// What has the focus, and whether anybody sees that it has.
function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return { tag: 'BODY', text: '', href: '', seen: true };
    const { outlineStyle, outlineWidth, boxShadow, backgroundColor } = getComputedStyle(element);
    // Radios and checkboxes of the design system show it around the box drawn beside them.
    const beside = element.nextElementSibling ? getComputedStyle(element.nextElementSibling, '::before') : null;
    const outlined = (style) => style && ((style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none');
    const { width, height } = element.getBoundingClientRect();
    const link = element.tagName === 'A' && backgroundColor !== 'rgba(0, 0, 0, 0)';
    return {
      tag: element.tagName, text: (element.textContent || element.getAttribute('aria-label') || '').trim(), href: element.getAttribute('href') ?? '',
      name: element.getAttribute('name') ?? '', id: element.id,
      seen: width > 0 && height > 0 && (outlined({ outlineStyle, outlineWidth, boxShadow }) || outlined(beside) || link),
    };
  });
}

// Tabs until something is found; every stop on the way is seen, and nothing is met twice before all was.
async function tabTo(page, wanted, { key = 'Tab', most = 250 } = {}) {
  const met = [];
  for (let step = 0; step < most; step += 1) {
    await page.keyboard.press(key);
    const here = await focused(page);
    assert.ok(here.seen, `the focus does not show on ${JSON.stringify(here)} of ${page.url()}`);
    if (wanted(here)) return here;
    met.push(`${here.tag} ${here.text.slice(0, 40)} ${here.href}`);
  }
  assert.fail(`never reached on ${page.url()}\n${met.slice(-40).join('\n')}`);
}

describe('by keyboard alone', () => {
  let page, context;
  before(async () => {
    ({ page, context } = await city.open());
    await city.signIn(page, city.agent('etat-civil', 'processor'));
  });
  after(() => context?.close());

  test('list, search, request, action, next request', async () => {
    await city.go(page, '/agent?vue=toutes&statut=sent');
    // The first stop of a page leads over its head.
    await page.keyboard.press('Tab');
    const skip = await focused(page);
    assert.ok(skip.seen && skip.href.startsWith('#'), JSON.stringify(skip));
    await page.keyboard.press('Enter');
    // From there on, in the order of the page: filters, then heads of columns, then requests.
    const filter = await tabTo(page, (here) => here.tag === 'SELECT');
    assert.equal(filter.name, 'demarche');
    const head = await tabTo(page, (here) => here.text.startsWith('Usager'));
    assert.match(head.href, /tri=nom/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/tri=nom/);
    assert.equal(await page.locator('th[aria-sort]').getAttribute('aria-sort'), 'ascending');
    const names = await page.locator('[data-label="Usager"]').allInnerTexts();
    assert.ok(names.length > 2, names.join());
    await tabTo(page, (here) => here.href.startsWith('/agent/demandes/'));
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/agent\/demandes\//);
    const first = page.url();
    // What is done is confirmed on its own page, or at once.
    const action = await tabTo(page, (here) => /\/actions\//.test(here.href) || (here.tag === 'BUTTON' && /charge/.test(here.text)));
    await page.keyboard.press('Enter');
    await page.waitForLoadState();
    if (action.tag === 'A') {
      await page.waitForURL(/\/actions\//);
      const button = await tabTo(page, (here) => here.tag === 'BUTTON' && /^Confirmer/.test(here.text));
      assert.ok(button);
      await page.keyboard.press('Enter');
    }
    await page.waitForURL((url) => url.searchParams.has('fait'));
    await tabTo(page, (here) => /Dossier suivant/.test(here.text));
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => /\/agent\/demandes\//.test(url.pathname) && url.pathname !== new URL(first).pathname);
    // Back to the list that all began with.
    await tabTo(page, (here) => /liste/i.test(here.text) && here.href.startsWith('/agent?'), { key: 'Shift+Tab' });
    await page.keyboard.press('Enter');
    await page.waitForURL(/statut=sent/);
    await city.checkPage(page);
  });

  test('nothing holds the focus: from the first stop to the last, then out', async () => {
    await city.go(page, '/agent?vue=toutes');
    const all = await page.evaluate(() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
      .filter((element) => element.checkVisibility({ contentVisibilityAuto: true }) && !element.disabled && element.tabIndex >= 0).length);
    let stops = 0;
    for (; stops <= all + 5; stops += 1) {
      await page.keyboard.press('Tab');
      const here = await focused(page);
      if (here.tag === 'BODY') break;
      assert.ok(here.seen, `the focus does not show on ${JSON.stringify(here)}`);
    }
    assert.ok(stops > 10 && stops <= all + 1, `${stops} stops among ${all}`);
  });
});

test('a colleague who comes is told on a page left open', async () => {
  const { page, context } = await city.open();
  await page.clock.install();
  await city.signIn(page, city.agent('etat-civil', 'processor'));
  await city.go(page, '/agent?vue=toutes&statut=sent');
  const address = await page.locator('tbody a[href^="/agent/demandes/"]').last().getAttribute('href');
  await city.go(page, address);
  const box = page.locator('[data-presence]');
  assert.equal(await box.getAttribute('aria-live'), 'polite');
  assert.equal((await box.innerText()).trim(), '');
  const other = await city.open();
  await city.signIn(other.page, city.agent('etat-civil', 'decider'));
  await city.go(other.page, address);
  await other.context.close();
  const asked = page.waitForResponse(/\/presence$/);
  await page.clock.fastForward(30_000);
  await asked;
  await box.getByText('travaille sur ce dossier').waitFor();
  await city.checkPage(page);
  // Out of reach: the page stays as it is, and asks no more.
  await page.route('**/presence', (route) => route.fulfill({ status: 404, body: '' }));
  const refused = page.waitForResponse(/\/presence$/);
  await page.clock.fastForward(30_000);
  await refused;
  let more = 0;
  page.on('request', (request) => { more += /\/presence$/.test(request.url()) ? 1 : 0; });
  await page.clock.fastForward(120_000);
  await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => resolve()); }));
  assert.equal(more, 0);
  assert.ok(await box.getByText('travaille sur ce dossier').isVisible());
  await context.close();
});
