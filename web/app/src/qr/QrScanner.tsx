import { Button, FileButton, Group, Stack, Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { IconCamera, IconImage } from '../ui/icons';
import classes from './QrScanner.module.css';
import { codeInFile, codeInVideo } from './decode';

const LOOK_EVERY_MS = 200;

/** Reads a QR code with the camera, or out of a picture. */
export function QrScanner({ onCode }: { onCode(text: string): void }) {
  const [filming, setFilming] = useState(false);
  const [problem, setProblem] = useState('');
  const found = (text: string) => {
    setFilming(false);
    setProblem('');
    onCode(text);
  };
  const picture = async (file: File | null) => {
    if (!file) return;
    const text = await codeInFile(file);
    if (text) found(text);
    else setProblem('No code was found in this picture.');
  };
  return (
    <Stack gap="xs">
      <Group gap="xs" grow>
        <Button variant="light" leftSection={<IconCamera size={18} />} onClick={() => setFilming(!filming)} aria-pressed={filming}>
          {filming ? 'Stop the camera' : 'Scan with camera'}
        </Button>
        <FileButton accept="image/*" onChange={(file) => void picture(file)} inputProps={{ 'aria-label': 'Picture of a code' }}>
          {(props) => (
            <Button variant="light" leftSection={<IconImage size={18} />} {...props}>
              From a picture
            </Button>
          )}
        </FileButton>
      </Group>
      {filming && <Camera onCode={found} onProblem={(words) => (setProblem(words), setFilming(false))} />}
      {problem && (
        <Text size="sm" c="red" role="alert">
          {problem}
        </Text>
      )}
    </Stack>
  );
}

function Camera({ onCode, onProblem }: { onCode(text: string): void; onProblem(words: string): void }) {
  const video = useRef<HTMLVideoElement>(null);
  const handlers = useRef({ onCode, onProblem });
  handlers.current = { onCode, onProblem };
  useEffect(() => {
    let stream: MediaStream | undefined;
    let timer: number | undefined;
    let ended = false;
    const look = () => {
      const text = video.current ? codeInVideo(video.current) : undefined;
      if (text) handlers.current.onCode(text);
      else timer = window.setTimeout(look, LOOK_EVERY_MS);
    };
    const begin = async () => {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
      if (ended || !video.current) return stop();
      video.current.srcObject = stream;
      await video.current.play();
      look();
    };
    const stop = () => {
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
    begin().catch(() => !ended && handlers.current.onProblem('The camera cannot be used here. Take a picture of the code, or paste it.'));
    return () => {
      ended = true;
      window.clearTimeout(timer);
      stop();
    };
  }, []);
  return <video ref={video} className={classes.video} muted playsInline aria-label="The camera's picture" />;
}
