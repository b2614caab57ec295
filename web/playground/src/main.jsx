import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import 'graphiql/style.css';
import './playground.css';
import { createFetcher } from './fetcher.js';
import { withoutHeaders } from './storage.js';
import { tabs } from './tabs.js';

// Tokens are secrets: headers stay out of the browser's storage, and the setting that would put them there is not shown.
createRoot(document.getElementById('playground')).render(
  <GraphiQL
    fetcher={createFetcher(new URL('/graphql', window.location.href))}
    defaultTabs={tabs}
    defaultEditorToolsVisibility="headers"
    shouldPersistHeaders={false}
    storage={withoutHeaders(window.localStorage)}
    showPersistHeadersSettings={false}
  >
    <GraphiQL.Logo>Letterlock</GraphiQL.Logo>
    <GraphiQL.Footer>
      <p className="token-hint">
        Where a token is needed: run <code>letter token</code> and paste it into <b>Headers</b>, as{' '}
        <code>{'{"Authorization": "Bearer …"}'}</code>. It is good for at most ten minutes and is not kept by this page.
      </p>
    </GraphiQL.Footer>
  </GraphiQL>,
);
