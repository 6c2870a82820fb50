/** The AMQP error conditions that the service uses. */
export const CONDITION = Object.freeze({
  notFound: 'amqp:not-found',
  notAllowed: 'amqp:not-allowed',
  notImplemented: 'amqp:not-implemented',
  unauthorized: 'amqp:unauthorized-access',
  internal: 'amqp:internal-error',
  invalidField: 'amqp:invalid-field',
  decode: 'amqp:decode-error',
  quota: 'amqp:resource-limit-exceeded',
  tooLarge: 'amqp:link:message-size-exceeded',
  detachForced: 'amqp:link:detach-forced',
  busy: 'com.microsoft:server-busy',
  timeout: 'com.microsoft:timeout',
  argument: 'com.microsoft:argument-error',
  disabled: 'com.microsoft:entity-disabled',
  messageLockLost: 'com.microsoft:message-lock-lost',
  sessionLockLost: 'com.microsoft:session-lock-lost',
  sessionCannotBeLocked: 'com.microsoft:session-cannot-be-locked',
  messageNotFound: 'com.microsoft:message-not-found',
  deadLetter: 'com.microsoft:dead-letter',
});

/** A refusal with a condition. Every other exception is a fault of the emulator. */
export class BrokerError extends Error {
  /** @param {string} condition one of CONDITION @param {string} message */
  constructor(condition, message) {
    super(message);
    this.condition = condition;
  }
}
