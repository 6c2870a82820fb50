// With the keyboard alone, on a phone, in the dark, without motion, with a screen reader's eyes.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { assertAccessible, assertFits, card, confirm, headline, onPage, PHONE, services, describe } from './stage.mjs';

describe('For everybody', () => {
  let app;
  before(async () => {
    const bus = await services.startBus('everybody');
    app = await services.startApp({ ServiceBus: bus.connection, Outpost__PartitionCount: '16' });
    for (let i = 0; i < 20; i++) await app.place(`an-order-with-quite-a-long-name-that-does-not-fit-into-one-line-of-a-phone-${i}`);
  });

  test('Every control is reached with Tab and shows that it is', () => onPage(app, async (page) => {
    await headline(page, 'Everything is forwarded');
    await page.keyboard.press('Tab');
    assert.equal(await focused(page, 'textContent'), 'Skip to the content');
    await page.keyboard.press('Enter');
    assert.equal(await focused(page, 'id'), 'main');

    await page.reload();
    await headline(page, 'Everything is forwarded');
    const all = await page.evaluate(() => [...document.querySelectorAll('a, button, select, input, summary, [tabindex="0"]')]
      .filter((each) => each.checkVisibility() && !each.disabled && !each.closest('details:not([open]) > :not(summary)')).length);
    for (let presses = 0; presses < all; presses++) {
      await page.keyboard.press('Tab');
      const { outline, what } = await page.evaluate(() => {
        const each = document.activeElement;
        each.dataset.reached = 'yes';
        return { outline: getComputedStyle(each).outlineStyle, what: each.outerHTML.slice(0, 200) };
      });
      assert.notEqual(outline, 'none', `the focus is not to be seen: ${what}`);
    }
    assert.equal(await page.locator('[data-reached]').count(), all, 'some control is not reached');
  }));

  test('A dialog is opened, left and used with the keyboard, and the focus comes back', () => onPage(app, async (page) => {
    await headline(page, 'Everything is forwarded');
    const pause = page.getByRole('button', { name: 'Pause servicebus', exact: true });
    await pause.focus();
    await page.keyboard.press('Enter');
    assert.match(await page.evaluate(() => document.activeElement.labels[0].textContent), /^Why\?/);
    await page.keyboard.press('Escape');
    assert.equal(await focused(page, 'textContent'), 'Pause…');

    await page.keyboard.press('Enter');
    await page.keyboard.type('the broker moves');
    await page.keyboard.press('Tab');
    assert.equal(await focused(page, 'textContent'), 'Cancel');
    await page.keyboard.press('Tab');
    assert.equal(await focused(page, 'textContent'), 'Pause');
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: 'servicebus is paused.' }).waitFor();
    await card(page, 'servicebus').getByText(/Paused since .*: the broker moves\./).waitFor();
    await page.getByRole('button', { name: 'Resume servicebus', exact: true }).click();
    await confirm(page, 'Resume', 'servicebus is resumed.');
  }));

  for (const colorScheme of ['light', 'dark']) {
    test(`Colours and names are fit for all, on a phone and a desk, ${colorScheme}`, () => onPage(app, async (page) => {
      await headline(page, /./);
      await card(page, 'servicebus').getByText('Partition by partition').click();
      await page.getByRole('list', { name: 'Entries' }).locator('summary').first().click();
      await page.getByText('"orderId"').waitFor();
      await assertAccessible(page);

      await page.setViewportSize(PHONE);
      await assertFits(page);
      await assertAccessible(page);
      const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      assert.equal(/^rgb\((\d+)/.exec(ground)[1] < 128, colorScheme === 'dark');
    }, { colorScheme, hasTouch: true }));
  }

  test('Who wants no motion gets none', () => onPage(app, async (page) => {
    await headline(page, /./);
    const moving = await page.evaluate(() => [...document.querySelectorAll('*')].filter((each) => {
      const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(each);
      return transitionDuration !== '0s' || animationName !== 'none' || scrollBehavior === 'smooth';
    }).length);
    assert.equal(moving, 0);
  }, { reducedMotion: 'reduce' }));

  test('The page forbids itself all that it does not need', async () => {
    const response = await fetch(`${app.url}/api/dashboard`);
    const policy = response.headers.get('Content-Security-Policy');
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'sha256-[^']+'; require-trusted-types-for 'script'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.doesNotMatch(await response.text(), / (src|style|on\w+)=/);
    assert.deepEqual(
      ['X-Content-Type-Options', 'Referrer-Policy', 'Cache-Control', 'Cross-Origin-Opener-Policy'].map((name) => response.headers.get(name)),
      ['nosniff', 'no-referrer', 'no-store', 'same-origin']);
    const head = await fetch(`${app.url}/api/dashboard`, { method: 'HEAD' });
    assert.equal(head.status, 200);
  });
});

const focused = (page, property) => page.evaluate((name) => document.activeElement[name], property);
