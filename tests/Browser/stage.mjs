// What all browser tests share: one Chromium, Azurite, and a page that may complain about nothing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, describe as describeAnyway, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch, WITHOUT } from './chromium.mjs';
import { startServices } from './services.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const IMAGES = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const PICTURES = fileURLToPath(new URL('pictures/', import.meta.url));
/** The pictures in docs/dashboard.md, by the state and the look that they are of. */
const SHOWN = { 'fine-light': 'light', 'fine-dark': 'dark', 'failing-light': 'failing', 'failing-phone': 'phone', 'parked-light': 'parked' };
const SECTION_HEIGHT = 600;
const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

const browser = await launch();
export const services = browser && await startServices();
after(async () => {
  await browser?.close();
  await services?.stop();
});

/** A group of tests; where there is no browser, the group counts as skipped and says why. */
export const describe = browser ? describeAnyway : (name) => test(name, { skip: WITHOUT });

/**
 * Runs a test on a fresh page at the dashboard, with a profile of its own. Any error in the console, exception or
 * policy violation fails it, but for the failed requests that a test says it causes.
 */
export async function onPage(app, test, { failsRequests = false, prepare = async () => {}, ...options } = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, timezoneId: 'UTC', ...options });
  const complaints = [];
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(40_000); // A slow machine starts app, bus and browser at once.
    page.on('console', (message) => {
      const isRequest = message.text().startsWith('Failed to load resource');
      if (['error', 'warning'].includes(message.type()) && !(failsRequests && isRequest)) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.stack));
    page.on('dialog', (dialog) => complaints.push(`a script opened a dialog: ${dialog.message()}`));
    await prepare(page);
    await page.goto(`${app.url}/api/dashboard`);
    await test(page);
    assert.deepEqual(complaints, []);
  } catch (error) {
    // What the page complained about is often why something else never came.
    if (error.code !== 'ERR_ASSERTION' && complaints.length > 0) error.message += `\nThe page said: ${complaints.join('\n')}`;
    throw error;
  } finally {
    await context.close();
  }
}

/** What axe finds: contrast, names, roles, landmarks. */
export async function assertAccessible(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => (await globalThis.axe.run({ resultTypes: ['violations'] })).violations
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target, any }) => `${target} ${any[0]?.message ?? ''}`).join('; ')}`));
  assert.deepEqual(found, []);
}

/** Nothing is wider than the window. */
export async function assertFits(page) {
  const [width, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(width <= window, `${width} px in a window of ${window} px`);
}

export const headline = (page, text) => page.getByRole('heading', { level: 1, name: text }).waitFor();
export const card = (page, name) => page.getByRole('article', { name: `Forwarder ${name}` });
export const entries = (page) => page.getByRole('list', { name: 'Entries' });
export const parked = (page) => page.getByRole('list', { name: 'Parked events' });

/** Presses the dialog's button, and waits until the page says what came of it. */
export async function confirm(page, verb, told) {
  await page.getByRole('dialog').getByRole('button', { name: verb, exact: true }).click();
  await page.locator('#done-text').filter({ hasText: told }).waitFor();
}

/** True while pictures for the documentation are wanted: OUTPOST_PICTURES=1 dotnet run dev.cs test browser. */
const wantsPictures = process.env.OUTPOST_PICTURES === '1';

/** An ordinary day, for a chart with something in it. */
export async function busyForPictures(app, seconds) {
  if (!wantsPictures) return;
  let i = 0;
  for (const end = Date.now() + 1000 * seconds; Date.now() < end; i++) {
    await Promise.all(Array.from({ length: 2 + Math.round(2 * Math.sin(i / 18)) }, (_, j) => app.place(`busy-${i}-${j}`)));
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
}

/** A picture of what is at the top of the window, or of a section; those that the documentation shows go there. */
export async function picture(page, name, section = 'overview') {
  if (!wantsPictures) return;
  await page.mouse.move(0, 0);
  await page.evaluate((id) => {
    document.activeElement?.blur();
    if (id === 'overview') scrollTo({ top: 0, behavior: 'instant' });
    else document.getElementById(id).scrollIntoView({ behavior: 'instant' });
  }, section);
  const { width, height } = page.viewportSize();
  await page.screenshot({ clip: { x: 0, y: 0, width, height: section === 'overview' ? height : Math.min(height, SECTION_HEIGHT) }, path: name in SHOWN ? `${IMAGES}dashboard-${SHOWN[name]}.png` : `${PICTURES}${name}.png` });
}
