import { WebStore, WeirClient } from '@weir/sdk';
import { render } from 'preact';
import { App } from './app.js';
import './styles/base.css';
import './styles/pages.css';
import './styles/meeting.css';
import './styles/panels.css';

const client = new WeirClient({ store: new WebStore() });
const root = document.getElementById('app');
if (root) render(<App client={client} />, root);
