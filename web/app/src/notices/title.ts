import { useEffect } from 'react';
import { useConversations } from '../core/values';

/** The number of unread messages in the tab's title. */
export function useTitle(): void {
  const unread = useConversations()?.reduce((sum, conversation) => sum + conversation.unread, 0) ?? 0;
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Letterlock` : 'Letterlock';
  }, [unread]);
}
