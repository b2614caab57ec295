import { useQuery } from '@apollo/client/react';
import { Alert, Button, Checkbox, Collapse, Divider, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { useInvitation } from '../nav/invitation';
import { SERVER_INFO } from '../settings/serverinfo';
import { ErrorText } from '../ui/ErrorText';
import { useTask } from '../ui/failures';
import { InviteField } from './InviteField';
import { Join } from './Join';
import { Page } from './Page';

/** Where somebody without an identity begins. */
export function Welcome() {
  const [joins, setJoins] = useState(false);
  const [invitation] = useInvitation();
  const { data, loading } = useQuery(SERVER_INFO, { fetchPolicy: 'no-cache' });
  const registration = data?.server.registration;
  const late = useLate();
  if (loading && !late) return null; // a field that comes later would make the page jump
  if (joins) return <Join onBack={() => setJoins(false)} />;
  return (
    <Page title="Welcome to Letterlock">
      {invitation ? (
        <Alert color="teal" title={`${invitation.name ?? 'Somebody'} wants to write with you`}>
          Begin below; then you can open the conversation.
        </Alert>
      ) : (
        <Text ta="center" c="dimmed">
          Messages that only you and those you write with can read. No phone number, no e-mail address.
        </Text>
      )}
      {registration === 'CLOSED' ? <Alert title="This server takes no new people">You can link this browser to a device that you have.</Alert> : <Create invited={registration === 'INVITE'} />}
      <Divider label="or" />
      <Button variant="default" onClick={() => setJoins(true)}>
        Link to my other device
      </Button>
      <Text size="xs" c="dimmed" ta="center">
        A page trusts whoever serves it: use Letterlock on a server that you trust.
      </Text>
    </Page>
  );
}

/** Whether this has been here for a second: the server may be away. */
function useLate(): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 1000);
    return () => clearTimeout(timer);
  }, []);
  return late;
}

function Create({ invited }: { invited: boolean }) {
  const letterlock = useLetterlock();
  const [name, setName] = useState('');
  const [passphrase, setPassphrase] = useState('');
  const [invite, setInvite] = useState('');
  const [protects, setProtects] = useState(false);
  const task = useTask();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void task.run(async () => {
      await letterlock.create({ ...(protects && { passphrase }), ...(invited && { invite: invite.trim() }) });
      if (name.trim()) await letterlock.setSetting('name', name.trim());
    });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Your name" description="Optional. Your link suggests it to others; the server does not learn it." value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={64} autoComplete="nickname" size="md" />
        {invited && <InviteField value={invite} onChange={setInvite} />}
        <Checkbox label="Protect this browser with a passphrase" checked={protects} onChange={(event) => setProtects(event.currentTarget.checked)} />
        <Collapse expanded={protects}>
          {protects && (
            <PasswordInput label="Passphrase" description="Nobody can restore it: without it, what this browser holds is lost." value={passphrase} onChange={(event) => setPassphrase(event.currentTarget.value)} required autoComplete="new-password" size="md" />
          )}
        </Collapse>
        <ErrorText error={task.error} />
        <Button type="submit" size="md" loading={task.busy}>
          Start
        </Button>
      </Stack>
    </form>
  );
}
