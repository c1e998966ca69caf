// What the page's end-to-end tests share: chromium, checks that print as those of lib.sh do, and kin.
import { execFile } from 'node:child_process';
import http from 'node:http';
import { promisify } from 'node:util';
import { chromium } from '../../../web/app/node_modules/playwright-core/index.mjs';

const { KIN, LAB, SOCKET } = process.env;
const kSeconds = 1000;
/** KIN_SLOW: how many times slower than others this machine is, as an emulated one; deadlines stretch. */
export const slow = Number(process.env.KIN_SLOW) || 1;

let failures = 0;
/** One sentence that is true or false. `what` may return words that say more. */
export async function check(sentence, what) {
  try {
    await what();
    console.log(`  ok   ${sentence}`);
  } catch (error) {
    failures++;
    console.log(`  FAIL ${sentence}`);
    for (const line of String(error?.message ?? error).split('\n').slice(0, 20)) console.log(`       | ${line}`);
  }
}
export function same(got, wanted) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`wanted: ${b}\ngot:    ${a}`);
}
/** Waits until `what` gives something true; a condition with a deadline. */
export async function eventually(what, seconds = 10) {
  const deadline = Date.now() + seconds * slow * kSeconds;
  for (;;) {
    const value = await what();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`not within ${seconds * slow} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20 * slow)); // Each look computes, too.
  }
}

const run = promisify(execFile);
export const kin = async (...words) =>
  (await run(KIN, [words[0], '--lab', LAB, ...words.slice(1)])).stdout.trim();
export const kubectl = (...words) => kin('kubectl', ...words);
export const link = () => kin('ui', '--print');

/** A request on the lab's socket: how objects are written where the clock matters. */
export function api(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' };
    const request = http.request({ socketPath: SOCKET, method, path, headers }, (response) => {
      let text = '';
      response.on('data', (piece) => (text += piece));
      response.on('end', () =>
        response.statusCode < 300 ? resolve(JSON.parse(text)) : reject(new Error(text)),
      );
    });
    request.on('error', reject);
    request.end(body && JSON.stringify(body));
  });
}

/** What went wrong in any page: broken rules of the content security policy, errors of scripts. */
export const complaints = [];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  timeout: 30 * slow * kSeconds,
  // In the namespaces and containers that tests run in there is no room for a sandbox of its own.
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});

/** A browser of its own, which has logged in unless told otherwise. */
export async function open(options = {}) {
  const { login = true, ...more } = options;
  const context = await browser.newContext({ viewport: { width: 1600, height: 900 }, ...more });
  context.setDefaultTimeout(15 * slow * kSeconds);
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) =>
      console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
    );
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (/CSP|Content Security Policy|Trusted/i.test(message.text())) complaints.push(message.text());
  });
  if (login) {
    await page.goto(await link());
    await page.getByRole('treeitem', { name: /^node node-1/ }).waitFor();
  }
  return page;
}

export const item = (page, name) => page.getByRole('treeitem', { name });
/** All that a terminal shows, as screen readers hear it. */
export const terminalText = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('.console:not([hidden]) .xterm-accessibility-tree > *')]
      .map((line) => line.textContent)
      .join('\n'),
  );
export const says = (page, pattern, seconds = 15) =>
  eventually(async () => pattern.test(await terminalText(page)), seconds);

/** Types into the terminal that is in sight, once it has the focus. */
export async function type(page, text) {
  await eventually(() => page.evaluate(() => !!document.activeElement?.closest('.console:not([hidden])')));
  await page.keyboard.type(text);
}

/** Ends the test: with 1 if any check failed. */
export async function finish() {
  await browser.close();
  process.exit(failures > 0 ? 1 : 0);
}
