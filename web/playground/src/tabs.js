// What the playground opens with on the first visit: the three things that one tries first.

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
# Run \`letter token\` and paste what it prints
# into Device token, below the result.
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
  },
  {
    query: `# What waits in a mailbox, then what arrives.
# Run \`letter token\` and paste what it prints
# into Device token, below the result.
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
  },
];
