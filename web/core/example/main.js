import { ApolloClient, InMemoryCache } from '@apollo/client';
import { open } from '@letterlock/core';

const letterlock = await open({ server: 'http://localhost:8080' });
if (letterlock.status().phase === 'empty') await letterlock.create();
letterlock.on('notice', ({ message }) => {
  if (message) document.querySelector('pre').append(`${message.sender}: ${message.text}\n`);
});
letterlock.on('status', async ({ connection }) => { // online: from here on, the server knows this user
  if (connection.state === 'online') document.querySelector('output').value = (await letterlock.self()).user;
});
letterlock.connect(new ApolloClient({ link: letterlock.link(), cache: new InMemoryCache() }));
document.querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { peer, text } = Object.fromEntries(new FormData(event.target));
  await letterlock.send(peer, text);
});
