// What the playground opens with on the first visit: the three things that one tries first.

const withToken = JSON.stringify({ Authorization: 'Bearer ' }, null, 2);

export const tabs = [
  {
    query: `# What a client needs to know first.
# Needs no token.
query Server {
  server {
    version
    protocolVersions
    origins
    time
    limits {
      maxCiphertextBytes
      mailboxMaxMessages
      maxTokenLifetimeSeconds
    }
  }
}
`,
  },
  {
    query: `# The device that a token belongs to.
# Run \`letter token\`, paste behind "Bearer "
# in Headers below.
query Viewer {
  viewer {
    id
    userId
    listVersion
    acceptedCount
    createdAt
  }
}
`,
    headers: withToken,
  },
  {
    query: `# What waits in a mailbox, then what arrives.
# Run \`letter token\`, paste behind "Bearer "
# in Headers below.
# Nothing is removed by reading. One live reader
# a device: this ends a running \`letter listen\`.
subscription Incoming {
  messageReceived {
    cursor
    messageId
    senderUserId
    sentAt
    kind
    ciphertext
    nonce
  }
}
`,
    headers: withToken,
  },
];
