import type { Mark, Message, UserId } from '@letterlock/core';

export const ME: UserId = `u${'me'.repeat(16)}`;
export const MY_DEVICE = `d${'a3'.repeat(16)}`;

export function idOf(name: string): UserId {
  const letters = name.toLowerCase().replace(/[^a-z]/g, '');
  return `u${letters.repeat(32).slice(0, 32)}`;
}

const TALK = [
  'Good morning! Did you sleep well?',
  'Like a stone. The rain helped.',
  'I have found the book that you were looking for: https://example.org/books/42.',
  'Wonderful! Where was it?',
  'On the shelf behind the door, between two atlases. I must have walked past it a hundred times without seeing it, and only noticed because the light fell on it this morning.',
  'Shall we meet at six?',
  'Six is good.',
  'I will bring the soup.',
  '🎉',
  'Then I bring bread\nand something to drink.',
];

/** A conversation of so many messages that ends a while ago. */
export function talk(peer: UserId, count: number, end: number, marks: Record<number, Mark[]> = {}): Message[] {
  return Array.from({ length: count }, (_, index) => {
    const number = index + 1;
    const outgoing = index % 2 === 1;
    const at = end - (count - index) * 7 * 60_000 * (1 + (index % 5));
    return message({
      number,
      peer,
      outgoing,
      text: TALK[index % TALK.length] ?? '',
      sentAt: at,
      marks: marks[count - index] ?? [],
      missing: !outgoing && count - index === 8 ? 2 : 0,
      state: outgoing ? 'sent' : 'received',
      deliveredAt: outgoing ? at : undefined,
      readAt: outgoing && index < count - 4 ? at : undefined,
    });
  });
}

export function message(values: Partial<Message> & Pick<Message, 'number' | 'peer' | 'outgoing' | 'text' | 'sentAt'>): Message {
  return {
    id: String(values.number),
    sender: values.outgoing ? ME : values.peer,
    device: MY_DEVICE,
    unsupported: false,
    receivedAt: values.sentAt,
    missing: 0,
    marks: [],
    state: 'received',
    ...values,
  };
}
