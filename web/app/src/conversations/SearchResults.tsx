import type { Message, UserId } from '@letterlock/core';
import { Text, UnstyledButton } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { shortId, useConversations } from '../core/values';
import { showFailure } from '../ui/failures';
import { briefTime } from '../ui/times';
import classes from './ConversationList.module.css';
import { ConversationRow } from './ConversationRow';

const MOST = 100;
const BEFORE = 24;

/** People whose name holds the text, then messages that do. */
export function SearchResults({ text, onOpen }: { text: string; onOpen(peer: UserId, at?: number): void }) {
  const conversations = useConversations() ?? [];
  const people = conversations.filter(({ name, peer }) => holds(name, text) || peer === text);
  const messages = useFound(text);
  const nameOf = (peer: UserId) => conversations.find((conversation) => conversation.peer === peer)?.name || shortId(peer);
  return (
    <div className={classes.list} role="region" aria-label="Search results">
      <Text role="status" size="xs" c="dimmed" className={classes.heading}>
        {messages ? summary(people.length, messages.length) : 'Searching…'}
      </Text>
      {people.length > 0 && (
        <ul className={classes.list} aria-label="People found">
          {people.map((conversation) => (
            <ConversationRow key={conversation.peer} conversation={conversation} selected={false} onOpen={onOpen} />
          ))}
        </ul>
      )}
      {messages?.map((message) => (
        <UnstyledButton
          key={`${message.peer} ${message.number}`}
          className={classes.result}
          onClick={() => onOpen(message.peer, message.number)}
        >
          <Text component="span" display="block" size="sm" fw={600}>
            {message.outgoing ? `You to ${nameOf(message.peer)}` : nameOf(message.peer)}
            <Text component="span" size="xs" c="dimmed" ml="xs">
              {briefTime(message.sentAt)}
            </Text>
          </Text>
          <Text component="span" display="block" size="sm" c="dimmed" truncate>
            <Excerpt message={message} text={text} />
          </Text>
        </UnstyledButton>
      ))}
    </div>
  );
}

function useFound(text: string): Message[] | undefined {
  const letterlock = useLetterlock();
  const [found, setFound] = useState<Message[]>();
  useEffect(() => {
    let current = true;
    letterlock.search(text, MOST).then(
      (messages) => current && setFound(messages),
      (error: unknown) => current && (setFound([]), showFailure(error)),
    );
    return () => {
      current = false;
    };
  }, [letterlock, text]);
  return found;
}

/** The words around what was found. */
function Excerpt({ message, text }: { message: Message; text: string }) {
  const at = message.text.toLowerCase().indexOf(text.toLowerCase());
  if (at < 0) return message.text;
  const from = Math.max(0, at - BEFORE);
  return (
    <>
      {from > 0 && '…'}
      {message.text.slice(from, at)}
      <mark className={classes.mark}>{message.text.slice(at, at + text.length)}</mark>
      {message.text.slice(at + text.length)}
    </>
  );
}

function summary(people: number, messages: number): string {
  if (people + messages === 0) return 'Nothing found';
  const words = [people && `${people} ${people === 1 ? 'person' : 'people'}`, messages && `${messages}${messages === MOST ? ' or more' : ''} ${messages === 1 ? 'message' : 'messages'}`];
  return words.filter(Boolean).join(', ');
}

function holds(name: string, text: string): boolean {
  return name.toLowerCase().includes(text.toLowerCase());
}
