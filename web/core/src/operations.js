// What is asked of the server; a test holds each against the schema.
import { gql } from '@apollo/client';

export const VIEWER = gql`
  query Viewer {
    viewer {
      id
    }
  }
`;

export const FETCH_USER = gql`
  query FetchUser($id: ID!, $sinceVersion: Int!) {
    user(id: $id, sinceVersion: $sinceVersion) {
      listVersion
      deviceLists {
        statement
      }
    }
  }
`;

export const STANDING = gql`
  query Standing {
    viewer {
      acceptedCount
    }
    prekeyCount {
      oneTime
      kemOneTime
      signedNumber
      kemLastResortNumber
    }
  }
`;

export const LINK_MESSAGE = gql`
  query LinkMessage($slot: Bytes!, $step: Int!) {
    linkMessage(slot: $slot, step: $step)
  }
`;

export const PUT_LINK_MESSAGE = gql`
  mutation PutLinkMessage($slot: Bytes!, $step: Int!, $data: Bytes!) {
    putLinkMessage(slot: $slot, step: $step, data: $data) {
      expiresAt
    }
  }
`;

export const REGISTER_KEY = gql`
  mutation RegisterKey($input: RegisterKeyInput!) {
    registerKey(input: $input) {
      device {
        id
      }
    }
  }
`;

export const SET_BLOCKED_USERS = gql`
  mutation SetBlockedUsers($users: [ID!]!) {
    setBlockedUsers(users: $users) {
      __typename
    }
  }
`;

export const PUBLISH_DEVICE_LIST = gql`
  mutation PublishDeviceList($input: PublishDeviceListInput!) {
    publishDeviceList(input: $input) {
      user {
        listVersion
      }
    }
  }
`;

export const UPLOAD_PREKEYS = gql`
  mutation UploadPrekeys($input: UploadPrekeysInput!) {
    uploadPrekeys(input: $input) {
      count {
        oneTime
      }
    }
  }
`;

export const CLAIM_PREKEYS = gql`
  mutation ClaimPrekeys($userId: ID!, $devices: [ID!]) {
    claimPrekeys(userId: $userId, devices: $devices) {
      sets {
        deviceId
        signed
        oneTime
        kem
      }
    }
  }
`;

export const SEND_MESSAGE = gql`
  mutation SendMessage($input: SendMessageInput!) {
    sendMessage(input: $input) {
      messageId
      acceptedAt
      deliveries {
        deviceId
        status
      }
    }
  }
`;

export const ACKNOWLEDGE_MESSAGES = gql`
  mutation AcknowledgeMessages($upTo: Cursor!) {
    acknowledgeMessages(upTo: $upTo) {
      removedCount
    }
  }
`;

export const DELETE_USER = gql`
  mutation DeleteUser($deletion: Bytes!) {
    deleteUser(input: { deletion: $deletion }) {
      deletedAt
    }
  }
`;

export const EXPORT_USER = gql`
  query ExportUser($listsAfter: Int!, $devicesAfter: ID) {
    exportUser(listsAfter: $listsAfter, devicesAfter: $devicesAfter) {
      userId
      createdAt
      listVersion
      hasMore
      deviceLists {
        version
        statement
        createdAt
      }
      devices {
        id
        createdAt
        removedAt
        oneTimeNumber
        kemOneTimeNumber
        blockedUserIds
        prekeys {
          kind
          number
          statement
          createdAt
        }
        mailbox {
          id
          listVersion
          closed
          blocking
          lastNumber
          acknowledgedNumber
          waitingCount
          waitingBytes
          expiredCount
          acceptedCount
        }
      }
    }
  }
`;

export const EXPORT_MAILBOX = gql`
  query ExportMailbox($after: Cursor) {
    mailbox(first: 100, after: $after) {
      nodes {
        id
        cursor
        messageId
        senderUserId
        senderDeviceId
        senderListVersion
        sentAt
        expiresAt
        kind
        ciphertext
        nonce
      }
      pageInfo {
        hasNextPage
      }
    }
  }
`;

export const MESSAGE_RECEIVED = gql`
  subscription MessageReceived($after: Cursor) {
    messageReceived(after: $after) {
      id
      cursor
      messageId
      senderUserId
      senderDeviceId
      kind
      ciphertext
      nonce
    }
  }
`;
