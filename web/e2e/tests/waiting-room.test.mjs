import assert from 'node:assert/strict';
import { test } from 'node:test';
import { click, enter, id, register, seePattern, tileOf, type, WAIT } from '../lib/page.mjs';
import { skipWithout } from '../lib/require.mjs';
import * as rest from '../lib/rest.mjs';
import { noDrops, noErrors, withServer } from '../lib/scenario.mjs';

test(
  'who comes to a waiting room sees nobody until let in',
  { skip: skipWithout('chromium') },
  () =>
    withServer('waiting', {}, async ({ server, open, picture }) => {
      const ada = await open({ name: 'ada', colour: 'red' });
      const bob = await open({ name: 'bob', colour: 'green' });
      const adaId = await register(ada.page, server.url, 'ada');
      const bobId = await register(bob.page, server.url, 'bob');
      const token = await rest.tokenOf(ada.page);
      const settings = { enable_waiting_room: true };
      const meetingId = await rest.meeting(server, token, 'By invitation', { settings });
      const link = `${server.url}/m/${meetingId}`;
      await ada.page.goto(link);
      await enter(ada.page);

      await bob.page.goto(link);
      await click(bob.page, 'join');
      await bob.page.waitForSelector(`${id('room')}[data-state="waiting"]`, WAIT);
      await bob.page.waitForSelector(`${id('notice')}:has-text("Waiting until")`, WAIT);
      await picture(bob, 'waiting');
      assert.equal(await bob.page.locator(id('tile')).count(), 0, 'tiles of others while waiting');
      assert.equal(await bob.page.evaluate(() => window.__weir.connection), null, 'media already');
      assert.equal(await ada.page.locator(tileOf(bobId)).count(), 0, 'one who waits has a tile');

      await click(ada.page, 'toggle-chat');
      await type(ada.page, 'chat-input', 'Shall we let bob in?');
      await click(ada.page, 'chat-send');
      await ada.page.waitForSelector(id('chat-message'), WAIT);
      await click(ada.page, 'toggle-chat');

      // The host sees who waits, and lets them in.
      await click(ada.page, 'toggle-people');
      const door = ada.page.locator(id('waiting'));
      await door.filter({ hasText: 'bob' }).waitFor(WAIT);
      await picture(ada, 'door');
      await click(ada.page, 'admit');
      await bob.page.waitForSelector(`${id('room')}[data-state="connected"]`, WAIT);
      await Promise.all([
        seePattern(bob.page, `${tileOf(adaId)} ${id('tile-video')}`, 'red', 20),
        seePattern(ada.page, `${tileOf(bobId)} ${id('tile-video')}`, 'green', 20),
      ]);
      await door.waitFor({ ...WAIT, state: 'detached' });
      await bob.page.waitForSelector(id('notice'), { ...WAIT, state: 'detached' });
      await click(bob.page, 'toggle-chat');
      await bob.page.waitForSelector(`${id('chat-message')}:has-text("Shall we")`, WAIT);
      await picture(bob, 'let-in');
      noErrors([ada, bob]);
      await noDrops(server);
    }),
);
