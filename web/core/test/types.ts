// What a program in TypeScript writes, the README's way: it has to compile.
import { ApolloClient, InMemoryCache } from '@apollo/client';
import { contactLink, LetterlockError, open, parseContact, type Message } from '@letterlock/core';

export async function firstMessage(peer: string): Promise<Message> {
  const letterlock = await open({ server: 'http://localhost:8080' });
  if (letterlock.status().phase === 'empty') await letterlock.create();
  const off = letterlock.on('notice', ({ message }) => {
    if (message) console.log(`${message.sender}: ${message.text}`);
  });
  letterlock.connect(new ApolloClient({ link: letterlock.link(), cache: new InMemoryCache() }));
  off();
  try {
    return await letterlock.send(peer, 'hello');
  } catch (error) {
    if (error instanceof LetterlockError && error.code === 'text-too-long') console.log(error.message);
    throw error;
  }
}

export const link: string = contactLink('https://chat.example.com', 'u', 'name');
export const name: string | undefined = parseContact(link)?.name;

// @ts-expect-error a phase that there is not
export const wrong = (await open()).status().phase === 'opened';
