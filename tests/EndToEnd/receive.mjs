// Receives events from a topic with the official client and prints one JSON line for each, completed.
// node receive.mjs [--subscription all|orders] [--topic events] [--connection STRING] [--max N] [--quiet-seconds 5]
import { parseArgs } from 'node:util';
import { ServiceBusClient } from '@azure/service-bus';

const LOCAL = 'Endpoint=sb://127.0.0.1:5672;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;';
const BATCH = 200;
const SESSIONS_AT_ONCE = 16;

const { values } = parseArgs({
  options: {
    connection: { type: 'string', default: process.env.ServiceBus ?? LOCAL },
    topic: { type: 'string', default: 'events' },
    subscription: { type: 'string', default: 'all' },
    max: { type: 'string', default: '1000000' },
    'quiet-seconds': { type: 'string', default: '5' },
  },
});
const max = Number(values.max);
const quietMs = Number(values['quiet-seconds']) * 1000;
const client = new ServiceBusClient(values.connection, { retryOptions: { maxRetries: 0, timeoutInMs: quietMs } });
let received = 0;

function print(message) {
  process.stdout.write(`${JSON.stringify({
    messageId: message.messageId,
    sessionId: message.sessionId,
    subject: message.subject,
    contentType: message.contentType,
    enqueuedAt: message.enqueuedTimeUtc,
    correlationId: message.correlationId,
    properties: message.applicationProperties,
    body: message.body.toString('utf8'),
  })}\n`);
}

// Until nothing comes for a while: then there is nothing more.
async function drain(receiver) {
  while (received < max) {
    const messages = await receiver.receiveMessages(Math.min(BATCH, max - received), { maxWaitTimeInMs: quietMs });
    if (messages.length === 0) return;
    for (const message of messages) {
      print(message);
      received += 1;
    }
    await Promise.all(messages.map((message) => receiver.completeMessage(message)));
  }
}

async function drainSessionAfterSession() {
  while (received < max) {
    let session;
    try {
      session = await client.acceptNextSession(values.topic, values.subscription, {
        receiveMode: 'receiveAndDelete',
        skipParsingBodyAsJson: true,
      });
    } catch (error) {
      // No session has anything to say.
      if (error.code === 'ServiceTimeout' || error.code === 'OperationTimeoutError') return;
      throw error;
    }
    // What is there of a session is there already; a short wait tells its end.
    for (;;) {
      const messages = await session.receiveMessages(BATCH, { maxWaitTimeInMs: 50 });
      if (messages.length === 0) break;
      for (const message of messages) {
        print(message);
        received += 1;
      }
    }
    await session.close();
  }
}

const drainSessions = () => Promise.all(Array.from({ length: SESSIONS_AT_ONCE }, drainSessionAfterSession));
await (values.subscription === 'orders' ? drainSessions() : drain(client.createReceiver(values.topic, values.subscription, { skipParsingBodyAsJson: true })));
await client.close();
