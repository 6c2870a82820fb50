/** The system properties that a filter may name, and where a message has them. */
export const SYSTEM_PROPERTIES = {
  contenttype: 'contentType',
  correlationid: 'correlationId',
  label: 'subject',
  subject: 'subject',
  messageid: 'messageId',
  replyto: 'replyTo',
  replytosessionid: 'replyToSessionId',
  sessionid: 'sessionId',
  to: 'to',
};
