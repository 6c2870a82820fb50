// When something is down, or slow, or nobody looks: words for people, and patience with the app.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from './services.mjs';
import { assertAccessible, card, headline, onPage, services, describe } from './stage.mjs';

describe('In trouble', () => {
  test('While the bus is away the page says in words what that means, and recovers by itself', async () => {
    const bus = await services.startBus('trouble');
    const app = await services.startApp({ ServiceBus: bus.connection });
    await app.place('before');
    await onPage(app, async (page) => {
      await headline(page, 'Everything is forwarded');
      await bus.stop();
      for (let i = 0; i < 3; i++) await app.place(`o-${i}`);

      await headline(page, 'servicebus can’t deliver');
      const why = card(page, 'servicebus');
      await why.getByText('The bus can’t be reached.').waitFor();
      await why.getByText(/Commands and the event API go on\. 3 events are waiting, the oldest for .* Forwarding resumes by itself\./).waitFor();
      await why.getByText('What the target said').click();
      await why.getByText(/partition 0: .*ServiceCommunicationProblem/).waitFor();
      await assertAccessible(page);

      await bus.again();
      await headline(page, 'Everything is forwarded');
    });
  });

  test('When the app can’t be reached the page says so, how old its numbers are, and goes on when it can', async () => {
    const app = await services.startApp();
    await app.place('o-1');
    await onPage(app, async (page) => {
      await headline(page, 'The log is served');
      await page.context().setOffline(true);
      await page.getByText(/The app can’t be reached.* What is shown below is .* old\./).waitFor();
      assert.equal(await page.locator('#fresh').textContent(), 'Not up to date');
      await assertAccessible(page);

      await page.context().setOffline(false);
      await page.locator('#trouble').waitFor({ state: 'hidden' });
      await app.place('o-2');
      await page.getByText('order/o-2').waitFor();
    }, { failsRequests: true });
  });

  test('One poll at a time, later and later while they fail, and none while nobody looks', async () => {
    const app = await services.startApp();
    const polls = [];
    const answer = async (status) => {
      const route = await until('a poll', () => polls.shift());
      await (status === 200 ? route.continue() : route.fulfill({ status, contentType: 'application/problem+json', body: '{"detail":"Table Storage does not answer."}' }));
    };
    await onPage(app, async (page) => {
      await until('the first poll', () => polls.length === 1);
      await page.clock.runFor(15_000);
      assert.equal(polls.length, 1, 'another poll before the first was answered');

      await answer(503);
      await page.getByText('Table Storage does not answer.').first().waitFor();
      for (const seconds of [2, 4, 8]) {
        await page.clock.runFor(seconds * 1000 - 500);
        assert.equal(polls.length, 0, `a poll before ${seconds} s`);
        await page.clock.runFor(1000);
        await answer(503);
        await page.getByText(`Next try in ${seconds * 2} s.`).waitFor();
      }

      await page.getByRole('button', { name: 'Try now' }).click();
      await answer(200);
      await headline(page, 'The log is empty');
      await page.evaluate(() => {
        Object.defineProperty(document, 'hidden', { value: true, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      });
      await page.clock.runFor(60_000);
      assert.equal(polls.length, 0, 'a poll although nobody looks');
      await page.evaluate(() => {
        delete document.hidden;
        document.dispatchEvent(new Event('visibilitychange'));
      });
      await answer(200);
    }, {
      failsRequests: true,
      prepare: async (page) => {
        await page.clock.install({ time: 0 });
        await page.clock.pauseAt(1000);
        await page.route('**/api/status*', (route) => polls.push(route));
      },
    });
  });
});
