// Writes down what the client asks of a server, beside its files: operations.json, a persisted query manifest of Apollo's form.
// A server that allows the operations of such lists alone (LETTERLOCK_PERSISTED_ONLY) reads it there.
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, InMemoryCache } from '@apollo/client';
import { type DocumentNode, type OperationDefinitionNode, print } from 'graphql';
import type { PluginOption } from 'vite';
import * as ofCore from '../core/src/operations.js';
import * as generated from './src/graphql/graphql.ts';

const FILE = 'operations.json';

interface Operation {
  id: string;
  name: string;
  type: string;
  body: string;
}

export function operations(): PluginOption {
  return {
    name: 'letterlock-operations',
    apply: 'build',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: FILE, source: `${JSON.stringify(manifest(), null, 2)}\n` });
    },
  };
}

/** All documents of the core and of this package, which codegen collects. */
function manifest() {
  const ofApp = Object.entries(generated).flatMap(([name, value]) => (name.endsWith('Document') ? [value as DocumentNode] : []));
  const all = [...Object.values(ofCore), ...ofApp].map(asSent);
  all.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { format: 'apollo-persisted-query-manifest', version: 1, operations: all };
}

/** A document in the very words in which Apollo Client sends it: it asks for the names of types, too. */
function asSent(document: DocumentNode): Operation {
  const client = new ApolloClient({ link: ApolloLink.empty(), cache: new InMemoryCache() });
  const sent = client.documentTransform.transformDocument(document);
  const body = print(sent);
  const { name, operation } = sent.definitions[0] as OperationDefinitionNode;
  return { id: createHash('sha256').update(body).digest('hex'), name: name?.value ?? '', type: operation, body };
}
