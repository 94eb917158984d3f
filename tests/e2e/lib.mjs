// What every journey needs: the demonstration city, a browser, and the checks that hold
// for each page of Guichet.
//
//   const city = await start();          // `guichet demo` on a free port, data in a new folder
//   const { page } = await city.open();  // a new browser session
//   await city.go(page, '/');
//   await city.checkPage(page);
//   await city.stop();
//
// GUICHET_BIN names the binary; GUICHET_PAGES a folder where the HTML of the checked pages
// is kept for one run of the Nu Html Checker (vnu.mjs) when all journeys are over. Without
// GUICHET_PAGES, `stop` runs it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import axePackage from '@axe-core/playwright';
import { HtmlValidate } from 'html-validate';
import { chromium } from 'playwright-core';

import { checkFolder } from './vnu.mjs';

const AxeBuilder = axePackage.default ?? axePackage;
const require = createRequire(import.meta.url);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const CHROMIUM = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
};

const AXE_TAGS = [
  'wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice', 'EN-301-549', 'RGAAv4',
];
const AXE_SOURCE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const HTML = new HtmlValidate(JSON.parse(readFileSync(new URL('htmlvalidate.json', import.meta.url), 'utf8')));

const DESKTOP = { width: 1200, height: 900 };
const NARROW = { width: 320, height: 640 };

// How long the demonstration may take to be ready, and any wait in the browser.
const READY_MS = 60_000;
const WAIT_MS = 15_000;

// Starts the demonstration and a browser.
export async function start() {
  const data = mkdtempSync(path.join(os.tmpdir(), 'guichet-e2e-'));
  const server = await serve(data).catch((error) => {
    rmSync(data, { recursive: true, force: true });
    throw error;
  });
  const pages = process.env.GUICHET_PAGES ?? mkdtempSync(path.join(os.tmpdir(), 'guichet-pages-'));
  try {
    const browser = await chromium.launch(CHROMIUM);
    return new City(server, data, browser, pages);
  } catch (error) {
    await server.stop();
    throw error;
  }
}

// Runs `guichet demo` until its first line, which tells { address, accounts, city? }.
async function serve(data) {
  const binary = process.env.GUICHET_BIN ?? defaultBinary();
  const args = ['demo', '--listen', '127.0.0.1:0', '--data', data, '--json'];
  // Each GUICHET_… is a setting of the server, but for the two that speak to the journeys.
  const { GUICHET_BIN, GUICHET_PAGES, ...env } = process.env;
  const child = spawn(binary, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => child.kill('SIGKILL'));
  const log = [];
  child.stderr.on('data', (text) => log.push(text));
  const gone = new Promise((resolve) => {
    child.once('error', (error) => { log.push(error.message); resolve(); });
    child.once('exit', resolve);
  });
  const line = await firstLine(child, gone);
  if (line === null) {
    child.kill('SIGKILL');
    throw new Error(`${binary} ${args.join(' ')} did not start:\n${log.join('')}`);
  }
  const said = JSON.parse(line);
  const address = /^https?:/.test(said.address) ? said.address : `http://${said.address}`;
  return {
    address: address.replace(/\/$/, ''),
    accounts: said.accounts ?? [],
    name: said.city ?? 'Valmont',
    log: () => log.join(''),
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(late);
    },
  };
}

function defaultBinary() {
  const cache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache');
  const target = process.env.CARGO_TARGET_DIR ?? path.join(cache, 'guichet/target');
  return path.join(target, 'debug/guichet');
}

async function firstLine(child, gone) {
  const lines = createInterface({ input: child.stdout });
  const line = new Promise((resolve) => lines.once('line', resolve));
  let timer;
  const late = new Promise((resolve) => { timer = setTimeout(resolve, READY_MS); });
  const first = await Promise.race([line, gone, late]);
  clearTimeout(timer);
  child.stdout.resume();
  return typeof first === 'string' ? first : null;
}

class City {
  #server; #data; #browser; #pages;
  #watched = new WeakMap();
  #kept = 0;

  constructor(server, data, browser, pages) {
    this.#server = server;
    this.#data = data;
    this.#browser = browser;
    this.#pages = pages;
    this.address = server.address;
    this.name = server.name;
    this.accounts = server.accounts;
  }

  // The sample account with this role: { role, email, password, label }.
  account(role) {
    return this.#find(`the role ${role}`, (account) => account.role === role);
  }

  // The sample agent with this right (reader, processor, decider, manager) in this department.
  agent(department, right) {
    return this.#find(`${right} of ${department}`, (account) =>
      account.role === 'agent' && account.departments[0] === department && account.right === right);
  }

  #find(what, wanted) {
    const found = this.accounts.find(wanted);
    assert.ok(found, `no sample account is ${what}`);
    return found;
  }

  // Runs `guichet admin NAME` on the sample city, with a file of this text.
  admin(name, text, { options = [], input = '' } = {}) {
    const file = path.join(this.#data, 'admin.toml');
    writeFileSync(file, text);
    const { GUICHET_BIN, GUICHET_PAGES, ...env } = process.env;
    const arguments_ = ['admin', name, '--authority', 'valmont', ...options, file];
    return execFileSync(GUICHET_BIN ?? defaultBinary(), arguments_, { env: { ...env, GUICHET_DATA: this.#data }, encoding: 'utf8', input });
  }

  // Signs in as one of the sample accounts, or as any { role, email, password }.
  async signIn(page, { role, email, password }) {
    const agent = role === 'agent';
    await this.go(page, agent ? '/agent/connexion' : '/connexion');
    await page.getByLabel(agent ? 'Adresse professionnelle' : 'Adresse électronique').fill(email);
    await page.getByLabel('Mot de passe', { exact: true }).fill(password);
    await page.getByRole('main').getByRole('button', { name: 'Se connecter', exact: true }).click();
    await page.waitForURL(agent ? /\/agent$/ : /\/mes-demandes$/);
  }

  // The addresses of the mails sent to somebody whose subject matches, newest first; waits until
  // there are `count`, for the workers send them in their own time. Leaves the page on their list.
  async mails(page, to, subject, count = 1) {
    const late = Date.now() + WAIT_MS;
    for (;;) {
      await this.go(page, '/demo/courriels');
      const found = await page.locator('main li').filter({ hasText: to }).getByRole('link', { name: subject }).evaluateAll(
        (links) => links.map((link) => link.getAttribute('href')));
      if (found.length >= count) return found;
      assert.ok(Date.now() < late, `${found.length} mails « ${subject} » to ${to} instead of ${count}\n${this.#server.log()}`);
    }
  }

  // A real photograph, as a phone would send it: { name, mimeType, buffer }.
  async photo(name = 'photo.jpg') {
    const { context, page } = await this.open();
    await this.go(page, '/');
    const buffer = await page.screenshot({ type: 'jpeg', clip: { x: 0, y: 0, width: 600, height: 400 } });
    await context.close();
    return { name, mimeType: 'image/jpeg', buffer };
  }

  // A new session: its own cookies. Options are Playwright's, e.g. { javaScriptEnabled: false }.
  async open(options = {}) {
    const context = await this.#browser.newContext({
      baseURL: this.address, viewport: DESKTOP, locale: 'fr-FR', timezoneId: 'Europe/Paris', ...options,
    });
    context.setDefaultTimeout(WAIT_MS);
    context.on('page', (page) => this.#watch(page));
    const page = await context.newPage();
    return { context, page };
  }

  // Goes to a page, which must answer with this status.
  async go(page, url, status = 200) {
    const response = await page.goto(url);
    assert.equal(response?.status(), status, `${url} answers ${response?.status()}\n${this.#server.log()}`);
    return response;
  }

  // Remembers the HTML as it was served, and whatever the browser complains of.
  #watch(page) {
    const seen = { html: null, status: 200, complaints: [] };
    this.#watched.set(page, seen);
    page.on('console', (message) => {
      if (message.type() === 'error') {
        seen.complaints.push({ url: message.location().url, text: message.text() });
      }
    });
    page.on('pageerror', (error) => seen.complaints.push({ url: page.url(), text: String(error) }));
    page.on('response', (response) => {
      const request = response.request();
      const main = request.isNavigationRequest() && request.frame() === page.mainFrame();
      const type = response.headers()['content-type'] ?? '';
      const redirect = response.status() >= 300 && response.status() < 400;
      if (main && !redirect) {
        seen.status = response.status();
        seen.html = type.startsWith('text/html') ? response.text().catch(() => null) : null;
      }
    });
  }

  // All that must hold for any page. Says everything that is wrong at once.
  // `status`: what the page answered, when it is an error page on purpose; a form shown again with
  // its mistakes (422) is no error.
  async checkPage(page, { status = this.#watched.get(page)?.status === 422 ? 422 : 200 } = {}) {
    const wrong = [
      ...(await this.#structure(page)),
      ...(await this.#accessibility(page)),
      ...(await this.#reflow(page)),
      ...(await this.#html(page)),
      ...this.#complaints(page, status),
    ];
    assert.equal(wrong.length, 0, `${page.url()}\n- ${wrong.join('\n- ')}`);
  }

  async #structure(page) {
    const wrong = [];
    const title = await page.title();
    if (!title.includes(this.name)) wrong.push(`the title lacks ${this.name}: ${title}`);
    const headings = await page.locator('h1').count();
    if (headings !== 1) wrong.push(`${headings} h1 on the page`);
    const lang = await page.locator('html').getAttribute('lang');
    if (!lang?.startsWith('fr')) wrong.push(`lang is ${lang}`);
    return wrong;
  }

  async #accessibility(page) {
    const builder = new AxeBuilder({ page, axeSource: AXE_SOURCE });
    // No page of ours holds a frame: what the legacy mode leaves out, and it is twice as fast.
    const { violations } = await builder.setLegacyMode(true).withTags(AXE_TAGS).analyze();
    return violations.flatMap((rule) => rule.nodes.map((node) =>
      `axe ${rule.id} (${rule.impact}): ${node.target.join(' ')}\n    ${node.html}\n    ${node.failureSummary}`));
  }

  // WCAG 1.4.10: at 320 CSS pixels nothing is to be scrolled sideways.
  async #reflow(page) {
    const before = page.viewportSize() ?? DESKTOP;
    await page.setViewportSize(NARROW);
    const width = await page.evaluate(() => {
      const wide = [...document.querySelectorAll('body *')]
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
        .slice(0, 3)
        .map((element) => element.outerHTML.slice(0, 120));
      return { scroll: document.documentElement.scrollWidth, window: innerWidth, wide };
    });
    await page.setViewportSize(before);
    if (width.scroll <= width.window) return [];
    return [`${width.scroll} px wide in a window of ${width.window}: ${width.wide.join(' | ')}`];
  }

  async #html(page) {
    const html = await this.#watched.get(page)?.html;
    if (!html) return ['the served HTML was not seen'];
    this.#keep(page.url(), html);
    const report = await HTML.validateString(html);
    return report.results.flatMap((result) => result.messages)
      .filter((message) => message.severity === 2)
      .map((message) => `html ${message.ruleId} at ${message.line}:${message.column}: ${message.message}`);
  }

  // Keeps a page for vnu.mjs, once for each different text.
  #keep(url, html) {
    const name = createHash('sha256').update(html).digest('hex').slice(0, 24);
    const file = path.join(this.#pages, `${name}.html`);
    if (existsSync(file)) return;
    writeFileSync(file, html);
    writeFileSync(`${file}.url`, url);
    this.#kept += 1;
  }

  #complaints(page, status) {
    const seen = this.#watched.get(page);
    const complaints = seen?.complaints.splice(0) ?? [];
    // Chromium logs the status of an error page as an error of the page itself.
    const expected = `status of ${status}`;
    return complaints
      .filter(({ text }) => status < 400 || !text.includes(expected))
      .map(({ url, text }) => `console: ${text} (${url})`);
  }

  async stop() {
    await this.#browser.close();
    await this.#server.stop();
    rmSync(this.#data, { recursive: true, force: true });
    if (process.env.GUICHET_PAGES) return;
    const errors = this.#kept > 0 ? await checkFolder(this.#pages) : 0;
    rmSync(this.#pages, { recursive: true, force: true });
    assert.equal(errors, 0, `${errors} errors of HTML`);
  }
}
