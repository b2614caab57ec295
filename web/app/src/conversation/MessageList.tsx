import type { Message, UserId } from '@letterlock/core';
import { ActionIcon, Badge, Text } from '@mantine/core';
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { type ListRange, Virtuoso, type VirtuosoHandle } from 'react-virtuoso';
import { useLetterlock } from '../core/letterlock';
import { showFailure } from '../ui/failures';
import { IconDown } from '../ui/icons';
import { type History, HistoryWindow } from './history';
import classes from './MessageList.module.css';
import { MessageRow } from './MessageRow';
import { useMarkRead } from './markread';

/** So many pixels beyond what is seen are drawn, and loaded, ahead. */
const AHEAD = { top: 1200, bottom: 600 };

/** A list whose rows were measured, and whose height has stayed the same for so long, stands still. */
const AT_REST_MS = 40;
/** It is shown after so long in any case: more may be coming all the time. */
const SHOWN_MS = 400;

interface Props {
  peer: UserId;
  name: string;
  /** A message to show first, from a search. */
  at?: number;
  unread: number;
}

export function MessageList({ peer, name, at, unread }: Props) {
  const letterlock = useLetterlock();
  const pages = useMemo(() => new HistoryWindow(letterlock, peer, at), [letterlock, peer, at]);
  const history = useSyncExternalStore(pages.subscribe, pages.get);
  if (!history.loaded) return <div className={classes.list} aria-busy="true" />;
  if (history.messages.length === 0) return <Empty name={name} />;
  return <Loaded key={history.opening} peer={peer} name={name} unread={unread} pages={pages} history={history} />;
}

function Loaded({ peer, name, unread, pages, history }: Omit<Props, 'at'> & { pages: HistoryWindow; history: History }) {
  const letterlock = useLetterlock();
  const list = useRef<VirtuosoHandle>(null);
  const { messages, firstIndex, atEnd, at } = history;
  const [atBottom, setAtBottom] = useState(true);
  const settled = useRef(false); // at first it scrolls by itself to where it opens
  const [atRest, moved] = useRest();
  const [lastSeen, setLastSeen] = useState(0);
  useMarkRead(peer, messages, lastSeen);

  const start = useMemo(() => (at === undefined ? messages.length - 1 : Math.max(0, messages.findIndex(({ number }) => number >= at))), []);
  const seen = ({ startIndex, endIndex }: ListRange) => {
    const shown = startIndex - firstIndex;
    settled.current ||= shown <= start && start <= endIndex - firstIndex;
    if (settled.current) moved();
    const message = messages[endIndex - firstIndex];
    if (message) setLastSeen((last) => Math.max(last, message.number));
  };
  const sendAgain = useCallback(
    (message: Message) => void letterlock.send(peer, message.text).catch(showFailure),
    [letterlock, peer],
  );
  const toEnd = () => {
    if (atEnd) list.current?.scrollToIndex({ index: 'LAST', align: 'end' });
    else pages.toEnd();
  };
  return (
    <div className={classes.list}>
      <Virtuoso
        ref={list}
        role="log"
        aria-label="Messages"
        aria-live="off" // scrolling would read old messages out; what is new is announced elsewhere
        className={classes.scroller}
        data-at-rest={atRest}
        totalListHeightChanged={() => {
          if (settled.current) moved();
        }}
        data={messages}
        firstItemIndex={firstIndex}
        initialTopMostItemIndex={{ index: start, align: at === undefined ? 'end' : 'center' }}
        computeItemKey={(_, message) => message.number}
        increaseViewportBy={AHEAD}
        startReached={pages.loadOlder}
        alignToBottom
        atBottomThreshold={48}
        atBottomStateChange={(bottom) => {
          if (settled.current) setAtBottom(bottom);
        }}
        followOutput={(bottom) => atEnd && (bottom || messages.at(-1)?.outgoing === true) && 'auto'}
        endReached={pages.loadNewer}
        rangeChanged={seen}
        itemContent={(index, message) => (
          <MessageRow
            message={message}
            before={messages[index - firstIndex - 1]}
            after={messages[index - firstIndex + 1]}
            name={name}
            marked={message.number === at}
            onSendAgain={sendAgain}
          />
        )}
      />
      {(!atBottom || !atEnd) && (
        <div className={classes.down}>
          {unread > 0 && <Badge circle>{unread}</Badge>}
          <ActionIcon variant="default" radius="xl" size="xl" onClick={toEnd} aria-label="To the newest message">
            <IconDown size={22} />
          </ActionIcon>
        </div>
      )}
    </div>
  );
}

/** Whether it has come to rest once, and what to call whenever it moves. Rows that are still being measured are not shown. */
function useRest(): [boolean, () => void] {
  const [atRest, setAtRest] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const moved = useCallback(() => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setAtRest(true), AT_REST_MS);
  }, []);
  useEffect(() => {
    const last = setTimeout(() => setAtRest(true), SHOWN_MS);
    return () => {
      clearTimeout(last);
      clearTimeout(timer.current);
    };
  }, []);
  return [atRest, moved];
}

function Empty({ name }: { name: string }) {
  return (
    <div className={classes.empty} role="log" aria-label="Messages">
      <Text c="dimmed" ta="center" maw="22rem">
        Nothing was written yet. What you and {name} write here is locked on your devices, and only they can open it.
      </Text>
    </div>
  );
}
