// A conversation from a terminal:
//
//   node example.mjs http://localhost:8080                    registers, prints its user id, shows what arrives
//   node example.mjs http://localhost:8080 u… "hello"         sends that first
//
// Its keys live as long as it runs. A product keeps them, and sees to it that nobody else reads them.
import { Messenger } from './api.mjs';
import { newDevice } from './identity.mjs';

const [server = 'http://localhost:8080', peer, text = 'hello'] = process.argv.slice(2);

const messenger = new Messenger(server, newDevice());
await messenger.register();
console.log(`I am ${messenger.device.userId}`);

if (peer) {
  const full = await messenger.send(peer, text);
  console.log(full.length === 0 ? 'sent' : `these mailboxes are full: ${full.join(', ')}`);
}

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
await messenger.receive(({ from, text, refused }) => {
  // Here a product stores the message: when this returns, it is acknowledged and the server forgets it.
  console.log(refused ? `refused, from ${from}: ${refused}` : `${from}: ${text}`);
}, interrupted.signal);
await messenger.close();
