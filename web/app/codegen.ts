import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../graph/schema.graphqls',
  documents: 'src/**/*.{ts,tsx}',
  generates: {
    'src/graphql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        scalars: { Bytes: 'string', Cursor: 'string', Time: 'string', Counter: 'number' },
      },
    },
  },
};
export default config;
