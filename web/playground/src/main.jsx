import { GraphiQL } from 'graphiql';
import { useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import 'graphiql/style.css';
import './playground.css';
import { createFetcher } from './fetcher.js';
import { withoutHeaders } from './storage.js';
import { tabs } from './tabs.js';
import { TokenField } from './TokenField.jsx';

const endpoint = new URL('/graphql', window.location.href);
const storage = withoutHeaders(window.localStorage);

// Tokens are secrets: headers stay out of the browser's storage, and the setting that would put them there is not shown.
function Playground() {
  const token = useRef('');
  // One fetcher for all: GraphiQL asks for the schema again when it gets another.
  const [fetcher] = useState(() => createFetcher(endpoint, () => token.current));
  return (
    <GraphiQL
      fetcher={fetcher}
      defaultTabs={tabs}
      shouldPersistHeaders={false}
      storage={storage}
      showPersistHeadersSettings={false}
    >
      <GraphiQL.Logo>Letterlock</GraphiQL.Logo>
      <GraphiQL.Footer>
        <TokenField
          onChange={(changed) => {
            token.current = changed;
          }}
        />
      </GraphiQL.Footer>
    </GraphiQL>
  );
}

createRoot(document.getElementById('playground')).render(<Playground />);
