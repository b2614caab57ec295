// The documents against the schema that the server answers by.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { buildSchema, validate } from 'graphql';
import * as operations from '../src/operations.js';

test('every operation is one of the schema', async () => {
  const schema = buildSchema(await readFile(new URL('../../../graph/schema.graphqls', import.meta.url), 'utf8'));
  for (const [name, document] of Object.entries(operations)) {
    assert.deepEqual(validate(schema, document), [], name);
  }
});
