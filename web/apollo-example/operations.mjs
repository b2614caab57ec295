// The operations of the schema that this client uses.
import { gql } from '@apollo/client';

export const SERVER = gql`
  query Server {
    server {
      origins
      time
    }
  }
`;

export const USER = gql`
  query User($id: ID!, $sinceVersion: Int) {
    user(id: $id, sinceVersion: $sinceVersion) {
      listVersion
      deviceLists {
        statement
      }
    }
  }
`;

export const REGISTER = gql`
  mutation Register($input: RegisterKeyInput!) {
    registerKey(input: $input) {
      device {
        id
      }
    }
  }
`;

export const SEND = gql`
  mutation Send($input: SendMessageInput!) {
    sendMessage(input: $input) {
      acceptedAt
      deliveries {
        deviceId
        status
      }
    }
  }
`;

export const RECEIVE = gql`
  subscription Receive {
    messageReceived {
      cursor
      messageId
      senderUserId
      senderDeviceId
      senderListVersion
      kind
      ciphertext
      nonce
    }
  }
`;

export const ACKNOWLEDGE = gql`
  mutation Acknowledge($upTo: Cursor!) {
    acknowledgeMessages(upTo: $upTo) {
      removedCount
    }
  }
`;
