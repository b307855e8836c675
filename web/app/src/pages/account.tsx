import type { WeirClient } from '@weir/sdk';
import { useState } from 'preact/hooks';
import { describe, Field, Problem, TopBar } from '../ui/parts.js';

/** Log in or register. */
export function AccountPage({ client }: { client: WeirClient }) {
  const [registering, setRegistering] = useState(false);
  const [username, setUsername] = useState('');
  const [email, setEmail] = useState('');
  const [nickname, setNickname] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  async function submit(event: Event) {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      if (registering) {
        await client.register({ username, email, password, ...(nickname ? { nickname } : {}) });
      }
      await client.login(username, password);
    } catch (error) {
      setProblem(describe(error));
      setBusy(false);
    }
  }

  return (
    <>
      <TopBar />
      <main class="page narrow">
        <form
          class="card stack"
          onSubmit={submit}
          data-testid={registering ? 'register-form' : 'login-form'}
        >
          <h1>{registering ? 'Create an account' : 'Log in'}</h1>
          <Field
            label={registering ? 'User name' : 'User name or e-mail'}
            name="username"
            value={username}
            onInput={setUsername}
            required
            {...(registering ? { minLength: 3, maxLength: 50 } : {})}
            autoComplete="username"
          />
          {registering && (
            <>
              <Field
                label="E-mail"
                name="email"
                type="email"
                value={email}
                onInput={setEmail}
                required
                autoComplete="email"
              />
              <Field
                label="Name shown to others"
                name="nickname"
                value={nickname}
                onInput={setNickname}
                maxLength={50}
                autoComplete="nickname"
                hint="Left empty, your user name is shown."
              />
            </>
          )}
          <Field
            label="Password"
            name="password"
            type="password"
            value={password}
            onInput={setPassword}
            required
            {...(registering ? { minLength: 6, maxLength: 100 } : {})}
            autoComplete={registering ? 'new-password' : 'current-password'}
          />
          <Problem text={problem} />
          <button class="button primary wide" type="submit" disabled={busy} data-testid="submit">
            {registering ? 'Create account' : 'Log in'}
          </button>
          <p class="aside">
            {registering ? 'You have an account?' : 'New here?'}{' '}
            <button
              class="link"
              type="button"
              data-testid="other-form"
              onClick={() => {
                setRegistering(!registering);
                setProblem(null);
              }}
            >
              {registering ? 'Log in' : 'Create an account'}
            </button>
          </p>
        </form>
      </main>
    </>
  );
}
