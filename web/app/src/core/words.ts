// What codes of the core mean, in words.
import type { Alarm, Failure, Mark } from '@letterlock/core';

/** The words of an error; for what has none, that something went wrong. */
export function wordsOf(error: unknown): string {
  if (error instanceof Error && error.message) return sentence(error.message);
  return 'Something went wrong. Try again.';
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

const FAILURES: Record<Failure, string> = {
  'recipient-unknown': 'The server knows nobody with this id. Have they opened Letterlock here once?',
  'recipient-needs-session': 'One of their devices takes only messages that this device cannot make.',
  'own-device-needs-session': 'One of your own devices takes only messages that this device cannot make.',
  'recipient-needs-box': 'One of their devices takes only an older kind of message that this device does not make.',
  'prekeys-missing': 'They have not been online for a while, and their keys are used up. Send it again once they are back.',
  'prekeys-refused': 'The server shows keys of theirs that are not genuine. Compare safety numbers with them.',
  'list-refused': 'The server shows a device list of theirs that is not genuine. Compare safety numbers with them.',
  'mailbox-full': 'Their mailbox is full. Send it again later.',
  'in-doubt': 'An answer was lost long ago: it may have arrived or not. Sending it again may show it to them twice.',
  declined: 'The server has refused it.',
};

export function wordsOfFailure(failure: Failure | undefined): string {
  return (failure && FAILURES[failure]) ?? 'It could not be sent.';
}

const MARKS: Record<Mark, string> = {
  'outdated-list': 'Sealed for an older list of your devices',
  'removed-device': 'From a device that they have removed',
  'sent-again': 'Could not be opened at first, and was sent again',
  'new-device': 'From a device they added',
  late: 'Came late',
  'repeated-counter': 'Counted like an earlier message: their device may have been restored from a backup',
  'partly-delivered': 'Some of their devices did not get it',
};

export function wordsOfMark(mark: Mark): string {
  return MARKS[mark] ?? mark;
}

const ALARMS: Record<Alarm['reason'], string> = {
  equivocation: 'The server has shown two different device lists for them.',
  'other-list': 'The server showed this person a different device list than the one they signed.',
  rollback: 'The server shows an older device list than before.',
  'forged-prekey': 'The server handed out a key that is not theirs.',
  'stale-prekey': 'The server keeps handing out a key that is out of date.',
  'forged-list': 'The server shows a device list that they have not signed.',
  'contact-changed': 'This name now stands for another user.',
};

export function wordsOfAlarm(alarm: Alarm): string {
  return ALARMS[alarm.reason] ?? 'What the server shows of their devices cannot be true.';
}

const REFUSALS: Record<string, string> = {
  malformed: 'It is not a sealed message',
  'unknown-sender': 'The server knows no such sender',
  'unknown-device': 'Its sender has no such device',
  'sender-list-refused': 'The device list of its sender was refused',
  'device-removed': 'Its sender has removed the device long ago',
  'needs-session': 'It is of a kind that this device does not take',
  'no-session': 'No session is held with the device that sent it',
  'key-used': 'Its key was used before: it is a repeat, or came far too late',
  'too-far-ahead': 'Too many messages before it are missing',
  'prekey-gone': 'It starts on a key that was used up or dropped',
  replayed: 'It repeats an earlier start',
  'removed-device-starts': 'A removed device wants to begin anew',
  'newer-version': 'It needs a newer client',
  downgrade: 'It is sealed more weakly than this device takes',
  'no-box-key': 'The device of its sender has no key for it',
  reflected: 'It claims to come from this very device',
  forged: 'It was not sealed by who is said to have sent it',
  'content-malformed': 'Its content makes no sense',
  'other-context': 'It was sealed for something else',
  'list-withheld': 'It names a newer device list than the server shows',
};

export function wordsOfRefusal(reason: string): string {
  return REFUSALS[reason] ?? reason;
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
