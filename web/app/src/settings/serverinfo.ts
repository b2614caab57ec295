import { graphql } from '../graphql';

/** What the about page says of the server. */
export const SERVER_INFO = graphql(`
  query ServerInfo {
    server {
      version
      time
      limits {
        messageLifetimeSeconds
      }
    }
  }
`);
