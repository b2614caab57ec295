import { useId, useState } from 'react';
import { endOf, MAX_PASTED, tokenIn } from './token.js';

/**
 * Where a device token is pasted. It is kept by this page's memory alone, and gone with the page: no storage, no form that a
 * browser would remember.
 *
 * @param {{onChange: (token: string) => void}} props
 */
export function TokenField({ onChange }) {
  const [pasted, setPasted] = useState('');
  const id = useId();
  const change = (text) => {
    setPasted(text);
    onChange(tokenIn(text));
  };
  return (
    <div className="token">
      <label htmlFor={id}>Device token</label>
      <input
        id={id}
        type="text"
        value={pasted}
        onChange={(event) => change(event.target.value)}
        maxLength={MAX_PASTED}
        placeholder="what `letter token` prints"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        aria-describedby={`${id}-says`}
      />
      <button type="button" className="graphiql-button" disabled={!pasted} onClick={() => change('')}>
        Forget
      </button>
      <p id={`${id}-says`} role="status">
        {saying(pasted)}
      </p>
    </div>
  );
}

function saying(pasted) {
  if (!pasted.trim()) return 'Sent with every request and subscription. This page does not store it.';
  const token = tokenIn(pasted);
  if (!token) return 'That is no token. Run `letter token` and paste what it prints.';
  const end = endOf(token);
  if (!end) return 'Sent with every request and subscription.';
  if (end <= new Date()) return `It was good until ${end.toLocaleTimeString()}. Run \`letter token\` again.`;
  return `Sent with every request and subscription, good until ${end.toLocaleTimeString()}.`;
}
