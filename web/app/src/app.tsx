import type { WeirClient } from '@weir/sdk';
import { useEffect, useState } from 'preact/hooks';
import { MeetingPage } from './meeting/page.js';
import { AccountPage } from './pages/account.js';
import { HomePage } from './pages/home.js';
import { useRoute } from './router.js';

export function App({ client }: { client: WeirClient }) {
  const route = useRoute();
  const [session, setSession] = useState(client.session);
  useEffect(() => {
    client.onSession = setSession;
    return () => {
      client.onSession = () => {};
    };
  }, [client]);

  // Who has to log in comes out where he wanted to go.
  if (!session) return <AccountPage client={client} />;
  switch (route.page) {
    case 'home':
      return <HomePage client={client} session={session} />;
    case 'meeting':
      return <MeetingPage key={route.id} client={client} session={session} id={route.id} />;
    default:
      return <NotFound />;
  }
}

function NotFound() {
  return (
    <main class="page narrow">
      <h1>Nothing here</h1>
      <p>This address leads nowhere.</p>
      <a class="button primary" href="/">
        To the start page
      </a>
    </main>
  );
}
