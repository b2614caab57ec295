import type { UserId } from '@letterlock/core';
import classes from './Face.module.css';

/** A round mark for a person: the first letters of the name on a colour that belongs to the id. */
export function Face({ user, name, size = 'md' }: { user: UserId; name: string; size?: 'md' | 'lg' }) {
  return (
    <span className={classes.face} data-size={size} data-hue={hue(user)} aria-hidden="true">
      {initials(name)}
    </span>
  );
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...(word ?? '')][0] ?? '').join('').toUpperCase();
}

function hue(user: UserId): number {
  let sum = 0;
  for (const letter of user) sum = (sum * 31 + letter.charCodeAt(0)) % 6;
  return sum;
}
