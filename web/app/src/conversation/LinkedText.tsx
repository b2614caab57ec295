import { Fragment } from 'react';

const LINK = /(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]])/gi;

/** A text in which web addresses can be followed. Nothing is fetched for them. */
export function LinkedText({ text }: { text: string }) {
  const parts = text.split(LINK);
  if (parts.length === 1) return text;
  return parts.map((part, index) =>
    index % 2 === 1 ? (
      <a key={index} href={part} target="_blank" rel="noopener noreferrer">
        {part}
      </a>
    ) : (
      <Fragment key={index}>{part}</Fragment>
    ),
  );
}
