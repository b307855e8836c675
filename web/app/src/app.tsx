import type { WeirClient } from '@weir/sdk';
import { useEffect, useState } from 'preact/hooks';
import { MeetingPage } from './meeting/page.js';
import { AccountPage } from './pages/account.js';
import { HomePage } from './pages/home.js';
import { navigate, useRoute } from './router.js';

export function App({ client }: { client: WeirClient }) {
  const route = useRoute();
  const [session, setSession] = useState(client.session);
  useEffect(() => {
    client.onSession = setSession;
    return () => {
      client.onSession = () => {};
    };
  }, [client]);

  if (route.page === 'login' || route.page === 'register') {
    return <AccountPage client={client} mode={route.page} />;
  }
  if (!session) {
    const next = route.page === 'meeting' ? `?next=${encodeURIComponent(location.pathname)}` : '';
    return <Redirect to={`/login${next}`} />;
  }
  switch (route.page) {
    case 'home':
      return <HomePage client={client} session={session} />;
    case 'meeting':
      return <MeetingPage key={route.id} client={client} session={session} id={route.id} />;
    default:
      return <NotFound />;
  }
}

function Redirect({ to }: { to: string }) {
  useEffect(() => navigate(to, true), [to]);
  return null;
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
