import { graphql } from '../graphql';

/** What the server says of itself to anybody. */
export const SERVER_INFO = graphql(`
  query ServerInfo {
    server {
      version
      time
      registration
      limits {
        messageLifetimeSeconds
      }
    }
  }
`);
