import type { UserId } from '@letterlock/core';
import { ActionIcon, Text, Textarea } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { wordsOf } from '../core/words';
import { IconSend } from '../ui/icons';
import classes from './Composer.module.css';
import { useDraft } from './draft';

/** Writes a message. What is typed stays in this component until it is sent or kept as a draft. */
export function Composer({ peer, draft }: { peer: UserId; draft: string }) {
  const letterlock = useLetterlock();
  const [text, setText] = useState(draft);
  const [problem, setProblem] = useState('');
  const typed = useRef(draft); // what the field holds, also for a send that ends once this component is gone
  const field = useRef<HTMLTextAreaElement>(null);
  const keep = useDraft(peer);
  const touch = useMediaQuery('(pointer: coarse)', false, { getInitialValueInEffect: false });
  useEffect(() => {
    if (!touch) field.current?.focus(); // on a phone the keyboard would cover the messages
  }, []);

  const show = (next: string) => {
    typed.current = next;
    setText(next);
  };
  const change = (next: string) => {
    show(next);
    setProblem('');
    keep.later(next);
  };
  const send = async () => {
    if (text.trim() === '') return;
    show('');
    setProblem('');
    keep.sent();
    try {
      await letterlock.send(peer, text);
    } catch (error) {
      show(typed.current === '' ? text : `${text}\n${typed.current}`);
      setProblem(wordsOf(error));
      keep.later(typed.current);
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send();
  };
  return (
    <form
      className={classes.composer}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
        field.current?.focus();
      }}
    >
      {problem && (
        <Text size="sm" c="red" role="alert" className={classes.problem}>
          {problem}
        </Text>
      )}
      <Textarea
        ref={field}
        className={classes.field}
        classNames={{ input: classes.input }}
        aria-label="Message"
        placeholder="Write a message"
        value={text}
        onChange={(event) => change(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        autosize
        minRows={1}
        maxRows={8}
        radius="xl"
        size="md"
        enterKeyHint="send"
        dir="auto"
      />
      <ActionIcon type="submit" variant="filled" color="teal" radius="xl" size={42} aria-label="Send" disabled={text.trim() === ''} onPointerDown={(event) => event.preventDefault()}>
        <IconSend size={20} />
      </ActionIcon>
    </form>
  );
}
