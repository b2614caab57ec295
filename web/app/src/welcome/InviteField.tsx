import { TextInput } from '@mantine/core';

/** Where an operator's invite is entered. */
export function InviteField({ value, onChange }: { value: string; onChange(value: string): void }) {
  return (
    <TextInput
      label="Invite"
      description="This server takes new people by invite. Whoever runs it has one for you."
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      required
      maxLength={200}
      autoComplete="off"
      spellCheck={false}
      size="md"
    />
  );
}
