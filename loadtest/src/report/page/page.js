'use strict';
const data = JSON.parse(document.getElementById('outcome').textContent);

// Figures for people.
const grouped = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
const known = (show) => (v) => (v === null || v === undefined || !Number.isFinite(v) ? '–' : show(v));
const digits = (v) => {
  const a = Math.abs(v);
  return a >= 100 || Number.isInteger(v) ? grouped(v) : a >= 10 ? v.toFixed(1) : v.toFixed(2);
};
const scaled = (steps) => known((v) => {
  let [unit, factor] = steps[0];
  for (const step of steps) if (Math.abs(v) >= step[1]) [unit, factor] = step;
  return digits(v / factor) + unit;
});
const count = known(grouped);
const plain = known(digits);
const seconds = known((v) => grouped(v) + ' s');
const micros = scaled([[' µs', 1], [' ms', 1e3], [' s', 1e6]]);
const bytes = scaled([[' B', 1], [' KiB', 1024], [' MiB', 1024 ** 2], [' GiB', 1024 ** 3], [' TiB', 1024 ** 4]]);
const bits = scaled([[' bit/s', 1], [' kbit/s', 1e3], [' Mbit/s', 1e6], [' Gbit/s', 1e9], [' Tbit/s', 1e12]]);
const many = scaled([['', 1], [' k', 1e3], [' M', 1e6], [' G', 1e9]]);
const percent = known((v) => {
  const p = v * 100;
  if (p === 0 || p === 100) return p + ' %';
  return (p < 0.01 || (p > 99.99 && p < 100) ? p.toFixed(5) : p.toFixed(2)) + ' %';
});
const clock = (s) => {
  const t = Math.round(s), two = (n) => String(n).padStart(2, '0');
  return t >= 3600 ? `${Math.floor(t / 3600)}:${two(Math.floor(t / 60) % 60)}:${two(t % 60)}` : `${Math.floor(t / 60)}:${two(t % 60)}`;
};

// Elements.
function el(name, attributes, ...children) {
  const svg = /^(svg|g|path|line|rect|circle|text|title)$/.test(name);
  const node = svg ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
const report = document.getElementById('report');

// Axes.
function niceTicks(max, wanted, whole) {
  const raw = Math.max(max, whole ? 1 : 1e-9) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  let step = [1, 2, 5, 10].find((m) => m * power >= raw * 0.999) * power;
  if (whole) step = Math.max(1, Math.round(step));
  const ticks = [];
  for (let i = 0; (i - 1) * step < max * 0.999 || i < 2; i++) ticks.push(i * step);
  return ticks;
}
function byteTicks(max, wanted) {
  let step = 1024;
  while (max / step > wanted) step *= 2;
  const ticks = [];
  for (let i = 0; (i - 1) * step < max * 0.999 || i < 2; i++) ticks.push(i * step);
  return ticks;
}
function timeTicks(max, wanted) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
  const step = steps.find((s) => max / s <= wanted) || 86400;
  const ticks = [];
  for (let t = 0; t <= max; t += step) ticks.push(t);
  return ticks;
}
function logTicks(low, high) {
  const decades = Math.log10(high / low), ticks = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++)
    for (const m of decades > 3.2 ? [1] : decades > 1.4 ? [1, 3] : [1, 2, 3, 5, 7])
      if (m * 10 ** p >= low * 0.999 && m * 10 ** p <= high * 1.001) ticks.push(m * 10 ** p);
  return ticks;
}
const textWidth = (text) => text.length * 6.8;

// Anything that is drawn anew when its width changes. draw(width) gives an svg.
const plots = [];
function card(title, note, legend, draw, wide) {
  const plot = el('div', { class: 'plot' });
  const node = el('section', { class: wide ? 'card wide' : 'card' }, el('h2', {}, title));
  if (note) node.append(el('p', { class: 'note' }, note));
  if (legend && legend.length > 1) {
    node.append(el('div', { class: 'legend' }, ...legend.map((one) =>
      el('span', {}, el('i', { style: `background:${one.color}` }), one.name))));
  }
  node.append(plot);
  plots.push(() => plot.replaceChildren(draw(Math.max(plot.clientWidth, 260), plot)));
  return node;
}

const series = data.series;
const end = series.length ? series[series.length - 1].at_s : 1;
const begin = (i) => series[i].at_s - series[i].seconds;

// Lines or stacked steps over the time of the run.
// lines: [{name, color, of(point) -> number or null, quiet: left out when always 0}]; options: format, log, whole, bytes, stacked, least (of the axis).
function overTime(title, note, lines, options) {
  const values = lines.map((line) => series.map((point) => {
    const value = line.of(point);
    return Number.isFinite(value) ? value : null;
  }));
  const some = values.map((list, i) => list.some((v) => (lines[i].quiet ? v > 0 : v !== null)));
  const shown = lines.filter((_, i) => some[i]);
  const lists = values.filter((_, i) => some[i]);
  if (!shown.length) return null;
  const tops = options.stacked ? series.map((_, t) => lists.reduce((sum, l) => sum + (l[t] || 0), 0))
    : lists.flat().filter((v) => v !== null);
  const high = Math.max(...tops, options.least || 0), positive = lists.flat().filter((v) => v > 0);
  const log = options.log && positive.length > 0;

  return card(title, note, shown, (width, plot) => {
    const height = 210, top = 18, bottom = 22, right = 8;
    let ticks;
    if (log) {
      const low = 10 ** Math.floor(Math.log10(Math.min(...positive)));
      const up = 10 ** Math.ceil(Math.log10(Math.max(...positive) * 1.0001));
      ticks = logTicks(low, up);
    } else {
      ticks = (options.bytes ? byteTicks : niceTicks)(high, 4, options.whole);
    }
    const labels = ticks.map((tick) => options.format(tick));
    const left = Math.max(...labels.map(textWidth)) + 10;
    const first = ticks[0], last = ticks[ticks.length - 1];
    const x = (t) => left + (t / end) * (width - left - right);
    const y = (v) => {
      const share = log ? Math.log(Math.max(v, first) / first) / Math.log(last / first) : v / (last || 1);
      return top + (1 - share) * (height - top - bottom);
    };
    const svg = el('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': title });
    background(svg, x, top, height - bottom, width - right);
    ticks.forEach((tick, i) => {
      svg.append(el('line', { class: 'grid', x1: left, x2: width - right, y1: y(tick), y2: y(tick) }));
      svg.append(el('text', { x: left - 6, y: y(tick) + 4, 'text-anchor': 'end' }, labels[i]));
    });
    for (const tick of timeTicks(end, Math.max(2, (width - left) / 70))) {
      svg.append(el('text', { x: x(tick), y: height - 5, 'text-anchor': tick === 0 ? 'start' : x(tick) > width - 20 ? 'end' : 'middle' }, clock(tick)));
    }
    if (options.stacked) stack(svg, shown, lists, x, y);
    else shown.forEach((line, i) => drawLine(svg, line.color, lists[i], x, y));
    hover(svg, plot, shown, lists, x, width, height - bottom, top, options.format);
    return svg;
  });
}

function background(svg, x, top, bottom, right) {
  let from = null;
  series.forEach((point, i) => {
    if (point.steady && from === null) from = begin(i);
    const stops = from !== null && (i + 1 === series.length || !series[i + 1].steady);
    if (stops) {
      svg.append(el('rect', { class: 'steady', x: x(from), y: top, width: Math.max(0, x(point.at_s) - x(from)), height: bottom - top }));
      from = null;
    }
  });
  // A stage's name where there is room for it.
  const starts = series.map((point, i) => (i === 0 || series[i - 1].stage !== point.stage ? i : -1)).filter((i) => i >= 0);
  if (starts.length < 2) return;
  starts.forEach((i, n) => {
    const at = x(begin(i)), until = n + 1 < starts.length ? x(begin(starts[n + 1])) : right;
    if (n > 0) svg.append(el('line', { class: 'stage', x1: at, x2: at, y1: 4, y2: bottom }));
    const name = series[i].stage;
    if (textWidth(name) + 6 < until - at) svg.append(el('text', { x: at + 4, y: 12 }, name));
  });
}

function drawLine(svg, color, list, x, y) {
  let path = '', pen = false;
  list.forEach((value, i) => {
    if (value === null) { pen = false; return; }
    const alone = !pen && (i + 1 >= list.length || list[i + 1] === null);
    const px = x(series[i].at_s).toFixed(1), py = y(value).toFixed(1);
    if (alone) svg.append(el('circle', { cx: px, cy: py, r: 3, fill: color }));
    path += `${pen ? 'L' : 'M'}${px} ${py}`;
    pen = true;
  });
  svg.append(el('path', { d: path, fill: 'none', stroke: color, 'stroke-width': 2, 'stroke-linejoin': 'round' }));
}

function stack(svg, lines, lists, x, y) {
  const below = series.map(() => 0);
  lines.forEach((line, n) => {
    let over = '', under = '';
    series.forEach((point, i) => {
      const from = x(begin(i)).toFixed(1), to = x(point.at_s).toFixed(1);
      const low = y(below[i]).toFixed(1);
      below[i] += lists[n][i] || 0;
      const high = y(below[i]).toFixed(1);
      over += `${i ? 'L' : 'M'}${from} ${high}L${to} ${high}`;
      under = `L${to} ${low}L${from} ${low}` + under;
    });
    svg.append(el('path', { d: over + under + 'Z', fill: line.color, stroke: 'var(--card)', 'stroke-width': 0.7 }));
  });
}

function hover(svg, plot, lines, lists, x, width, bottom, top, format) {
  const cursor = el('line', { class: 'cursor', y1: top, y2: bottom, visibility: 'hidden' });
  const tip = el('div', { class: 'tip', hidden: '' });
  svg.append(cursor);
  queueMicrotask(() => plot.append(tip));
  svg.addEventListener('pointermove', (event) => {
    const at = (event.clientX - svg.getBoundingClientRect().left) * (width / svg.clientWidth);
    let near = 0;
    series.forEach((point, i) => { if (Math.abs(x(point.at_s) - at) < Math.abs(x(series[near].at_s) - at)) near = i; });
    const px = x(series[near].at_s);
    cursor.setAttribute('x1', px);
    cursor.setAttribute('x2', px);
    cursor.setAttribute('visibility', 'visible');
    tip.replaceChildren(el('div', {}, `${clock(series[near].at_s)}  ${series[near].stage}`), ...lines.map((line, i) =>
      el('div', {}, lines.length > 1 ? `${line.name}: ${format(lists[i][near])}` : format(lists[i][near]))));
    tip.hidden = false;
    const side = px > width / 2;
    tip.style.left = side ? '' : `${px + 10}px`;
    tip.style.right = side ? `${width - px + 10}px` : '';
  });
  svg.addEventListener('pointerleave', () => { cursor.setAttribute('visibility', 'hidden'); tip.hidden = true; });
}

// Shares of packets by delay, logarithmic.
function delays() {
  const buckets = data.delay_histogram, spread = data.added_delay;
  if (!spread) return null;
  const width1 = 10 ** (1 / 20), total = spread.count;
  let low = buckets[0][0] / width1, high = buckets[buckets.length - 1][0];
  const middle = Math.sqrt(low * high);
  if (high / low < 10) [low, high] = [middle / 3.2, middle * 3.2];
  return card('Delay from send to arrival', `${grouped(total)} packets of the steady seconds by their delay, logarithmic`, null, (width) => {
    const height = 240, top = 62, bottom = 22, right = 12;
    const max = Math.max(...buckets.map((b) => b[1])) / total;
    const ticks = niceTicks(max, 4), last = ticks[ticks.length - 1];
    const label = (v) => plain(+(v * 100).toFixed(3)) + ' %';
    const left = Math.max(...ticks.map((tick) => textWidth(label(tick)))) + 10;
    const x = (v) => left + (Math.log(v / low) / Math.log(high / low)) * (width - left - right);
    const y = (v) => top + (1 - v / last) * (height - top - bottom);
    const svg = el('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': 'Distribution of delay' });
    for (const tick of ticks) {
      svg.append(el('line', { class: 'grid', x1: left, x2: width - right, y1: y(tick), y2: y(tick) }));
      svg.append(el('text', { x: left - 6, y: y(tick) + 4, 'text-anchor': 'end' }, label(tick)));
    }
    let free = -Infinity;
    for (const tick of logTicks(low, high)) {
      const half = textWidth(micros(tick)) / 2;
      if (x(tick) - half < free || x(tick) + half > width) continue;
      svg.append(el('text', { x: x(tick), y: height - 5, 'text-anchor': 'middle' }, micros(tick)));
      free = x(tick) + half + 8;
    }
    for (const [upper, n] of buckets) {
      const from = Math.max(left, x(upper / width1)), to = x(upper);
      svg.append(el('rect', { x: from + 0.5, y: y(n / total), width: Math.max(1, to - from - 1), height: Math.max(0.5, y(0) - y(n / total)), fill: 'var(--a)' },
        el('title', {}, `up to ${micros(upper)}: ${grouped(n)} packets, ${percent(n / total)}`)));
    }
    // Marks, their labels on rows of their own where they would overlap.
    const rows = [-Infinity, -Infinity, -Infinity, -Infinity];
    for (const [name, value] of [['p50', spread.p50_us], ['p95', spread.p95_us], ['p99', spread.p99_us], ['max', spread.max_us]]) {
      const at = Math.min(Math.max(x(value), left), width - right), text = `${name} ${micros(value)}`, size = textWidth(text);
      const over = at + size + 4 > width;
      const from = over ? at - size - 4 : at + 4;
      let row = rows.findIndex((taken) => taken < from);
      if (row < 0) row = rows.length - 1;
      rows[row] = from + size + 6;
      const line = 11 + row * 14;
      svg.append(el('line', { class: 'cursor', x1: at, x2: at, y1: line - 8, y2: y(0) }));
      svg.append(el('text', { class: 'strong', x: over ? at - 4 : at + 4, y: line, 'text-anchor': over ? 'end' : 'start' }, text));
    }
    return svg;
  }, true);
}

// Joining: median to 95th percentile as a bar, the largest as a mark, logarithmic.
function joins() {
  const rows = [['answer', 'signalling'], ['keys', 'connected'], ['first packet', 'first_packet'], ['first key frame', 'first_key_frame']]
    .map(([name, key]) => [name, data.joins[key]]).filter(([, spread]) => spread);
  if (!rows.length) return null;
  const lows = rows.map(([, s]) => s.p50_us), highs = rows.map(([, s]) => s.max_us);
  let low = Math.max(1, Math.min(...lows) / 1.3), high = Math.max(...highs, 2) * 1.3;
  if (high / low < 10) { const middle = Math.sqrt(low * high); [low, high] = [middle / 3.2, middle * 3.2]; }
  return card('Joining', 'From the first word to the server: bar from median to 95th percentile, mark at the slowest, logarithmic', null, (width) => {
    const left = 100, right = 12, step = 46, height = rows.length * step + 24;
    const x = (v) => left + (Math.log(Math.max(v, low) / low) / Math.log(high / low)) * (width - left - right);
    const svg = el('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': 'Delays of joining' });
    let free = -Infinity;
    for (const tick of logTicks(low, high)) {
      svg.append(el('line', { class: 'grid', x1: x(tick), x2: x(tick), y1: 0, y2: height - 20 }));
      const half = textWidth(micros(tick)) / 2;
      if (x(tick) - half < free || x(tick) + half > width) continue;
      svg.append(el('text', { x: x(tick), y: height - 5, 'text-anchor': 'middle' }, micros(tick)));
      free = x(tick) + half + 8;
    }
    rows.forEach(([name, spread], i) => {
      const y = i * step + 28, a = x(spread.p50_us), b = x(spread.p95_us), m = x(spread.max_us);
      svg.append(el('text', { class: 'strong', x: 0, y: y + 4 }, name));
      svg.append(el('line', { x1: a, x2: m, y1: y, y2: y, stroke: 'var(--line)', 'stroke-width': 2 }));
      svg.append(el('rect', { x: a, y: y - 5, width: Math.max(3, b - a), height: 10, rx: 2, fill: 'var(--a)' }));
      svg.append(el('line', { x1: m, x2: m, y1: y - 6, y2: y + 6, stroke: 'var(--b)', 'stroke-width': 3 }));
      const text = `p50 ${micros(spread.p50_us)} · p95 ${micros(spread.p95_us)} · max ${micros(spread.max_us)}`;
      const from = Math.max(left, Math.min(a, width - right - textWidth(text)));
      svg.append(el('text', { x: from, y: y - 11 }, text));
    });
    return svg;
  });
}

function tableOf(title, head, rows, left) {
  if (!rows.length) return null;
  const cell = (name) => (text, i) => el(name, i && left && left.includes(i) ? { class: 'left' } : {}, text);
  return el('section', { class: 'card wide' }, el('h2', {}, title), el('div', { class: 'scroll' }, el('table', {},
    el('thead', {}, el('tr', {}, ...head.map(cell('th')))),
    el('tbody', {}, ...rows.map((row) => el('tr', {}, ...row.map(cell('td'))))))));
}

// The page.
const { facts, media, joins: joining, server, own, thresholds } = data;
const missed = thresholds.filter((one) => !one.met).length;
const verdict = !thresholds.length ? null : missed
  ? el('span', { class: 'verdict bad' }, `✗ ${missed} of ${thresholds.length} threshold${thresholds.length === 1 ? '' : 's'} missed`)
  : el('span', { class: 'verdict good' }, thresholds.length === 1 ? '✓ threshold met' : `✓ all ${thresholds.length} thresholds met`);
report.append(el('header', {}, el('h1', {}, facts.scenario || 'weir-load'), verdict,
  el('p', {}, `${facts.target} · ${facts.started.replace('T', ' ').replace('Z', ' UTC')}`)));
for (const text of own.bottleneck) report.append(el('p', { class: 'warn' }, `weir-load itself was the bottleneck: ${text}.`));
if (facts.steady_seconds <= 0) report.append(el('p', { class: 'warn' }, 'No second of this run was steady: nothing but joining was measured.'));

const tile = (value, label) => el('div', { class: 'tile' }, el('b', {}, value), el('span', {}, label));
const unfinished = joining.started - joining.succeeded - joining.failed;
const d = data.added_delay, j = joining.first_packet;
report.append(el('div', { class: 'tiles' },
  tile(percent(media.delivered_share), `delivered of ${count(media.counted.expected_packets)} packets due`),
  tile(micros(d && d.p50_us), `delay p50; p99 ${micros(d && d.p99_us)}, max ${micros(d && d.max_us)}`),
  tile(micros(j && j.p95_us), `join to first packet p95; p50 ${micros(j && j.p50_us)}`),
  tile(count(joining.succeeded), `people joined; ${count(joining.failed)} failed${unfinished > 0 ? `, ${count(unfinished)} still joining at the end` : ''}`),
  tile(bits(media.received_bps), `received; ${count(media.received_packets_per_s)} packets/s`),
  tile(count(media.freezes), `freezes; ${plain(media.frames_per_stream_s)} frames/s a stream`),
  server ? tile(micros(server.cpu_us_per_packet), `server CPU a packet; ${plain(server.cpu_cores)} cores`) : null,
  server ? tile(bytes(server.rss_per_participant_bytes), `server memory a person; ${bytes(server.rss_max_bytes)} at most`) : null));

const per = (key) => (point) => point.counted[key] / point.seconds;
const hasStreams = (point) => point.streams > 0;
const heights = [...new Set(series.flatMap((point) => Object.keys(point.by_height)))].map(Number).sort((a, b) => b - a);
const ramp = ['var(--r1)', 'var(--r2)', 'var(--r3)', 'var(--r4)', 'var(--r5)', 'var(--r6)'];
const shade = (i) => ramp[heights.length <= 1 ? 2 : Math.min(5, Math.round((i * 5) / (heights.length - 1)))];
const charts = [
  delays(),
  overTime('Packets received', 'A second, all people together; shaded: what counts', [{ name: 'received', color: 'var(--a)', of: per('received_packets') }], { format: many }),
  overTime('Loss', 'Of the packets due in each second', [{ name: 'loss', color: 'var(--bad)', of: (p) => (p.counted.expected_packets ? Math.min(1, p.counted.lost_packets / p.counted.expected_packets) : null) }], { format: known((v) => plain(+(v * 100).toPrecision(4)) + ' %'), least: 0.001 }),
  overTime('Delay', 'From send to arrival, in each second, logarithmic', [
    { name: 'median', color: 'var(--a)', of: (p) => p.delay_p50_us },
    { name: 'p99', color: 'var(--b)', of: (p) => p.delay_p99_us },
    { name: 'largest', color: 'var(--d)', of: (p) => p.delay_max_us }], { format: micros, log: true }),
  overTime('People', null, [
    { name: 'in the meeting', color: 'var(--a)', of: (p) => p.people.present },
    { name: 'joining', quiet: true, color: 'var(--b)', of: (p) => p.people.started - p.people.present - p.people.left - p.people.failed },
    { name: 'failed so far', quiet: true, color: 'var(--bad)', of: (p) => p.people.failed }], { format: many, whole: true }),
  overTime('CPU', 'Cores kept busy', [
    { name: 'server', color: 'var(--a)', of: (p) => p.server && p.server.cores },
    { name: "server's busiest thread", color: 'var(--c)', of: (p) => p.server && p.server.busiest },
    { name: 'weir-load', color: 'var(--b)', of: (p) => p.own.cores },
    { name: "weir-load's busiest thread", color: 'var(--d)', of: (p) => p.own.busiest }], { format: plain, least: 0.1 }),
  overTime('Memory', 'Resident', [
    { name: 'server', color: 'var(--a)', of: (p) => p.server && p.server.rss_bytes },
    { name: 'weir-load', color: 'var(--b)', of: (p) => p.own.rss_bytes }], { format: bytes, bytes: true }),
  overTime('Resolutions', 'Video streams received, by lines of height', heights.map((h, i) => ({ name: `${h}p`, color: shade(i), of: (p) => p.by_height[h] || 0 })), { format: many, whole: true, stacked: true }),
  overTime('Frames', 'Whole frames a second, for each video stream', [{ name: 'frames', color: 'var(--a)', of: (p) => (hasStreams(p) ? p.counted.frames / p.seconds / p.streams : null) }], { format: plain }),
  media.counted.freezes ? overTime('Freezes', 'In each second, all streams together', [{ name: 'freezes', color: 'var(--bad)', of: (p) => p.counted.freezes }], { format: many, whole: true, stacked: true }) : null,
  joins(),
].filter(Boolean);
const narrow = charts.filter((one) => !one.classList.contains('wide'));
if (narrow.length % 2) narrow[narrow.length - 1].classList.add('wide');
report.append(el('div', { class: 'charts' }, ...charts));

const tables = el('div', { class: 'charts' });
tables.append(...[
  tableOf('Thresholds', ['', 'limit', 'measured'], thresholds.map((one) => [
    el('span', { class: one.met ? 'good' : 'bad' }, one.met ? '✓ met' : '✗ missed'), one.threshold, one.shown]), [1, 2]),
  tableOf('Failures', ['people', 'why'], data.failures.map((one) => [count(one.people), one.reason]), [1]),
  data.stages.length > 1 ? tableOf('Stages', ['', 'people', 'length', 'steady', 'packets/s', 'received', 'loss', 'delay p50', 'delay p99', 'server cores', 'CPU a packet'],
    data.stages.map((s) => [s.name, count(s.people.present), seconds(s.seconds), seconds(s.steady_seconds), count(s.received_packets_per_s), bits(s.received_bps),
      percent(s.loss), micros(s.added_delay && s.added_delay.p50_us), micros(s.added_delay && s.added_delay.p99_us), plain(s.server_cpu_cores), micros(s.server_cpu_us_per_packet)])) : null,
  data.roles.length > 1 ? tableOf('Roles, over the whole run', ['', 'packets received', 'packets sent', 'loss', 'delay p50', 'delay p99', 'join p50', 'join p95', 'freezes'],
    data.roles.map((r) => [r.name, count(r.counted.received_packets), count(r.counted.sent_packets), percent(r.loss),
      micros(r.added_delay && r.added_delay.p50_us), micros(r.added_delay && r.added_delay.p99_us),
      micros(r.first_packet && r.first_packet.p50_us), micros(r.first_packet && r.first_packet.p95_us), count(r.counted.freezes)])) : null,
].filter(Boolean));
const row = (name, value) => (value === '' || value === null ? null : el('tr', {}, el('td', {}, name), el('td', {}, value)));
tables.append(el('section', { class: 'card wide facts' }, el('h2', {}, 'Circumstances'), el('table', {}, el('tbody', {}, ...[
  row('command', el('code', {}, facts.command.join(' '))),
  row('measured', `${seconds(facts.steady_seconds)} of ${seconds(facts.seconds)}`),
  row('machine', `${facts.cpu}, ${facts.cores} cores, Linux ${facts.kernel}`),
  row('tool', `${facts.tool}, ${facts.threads} media thread${facts.threads === 1 ? '' : 's'}, verify ${facts.verify}: ${plain(own.cpu_cores)} cores (${percent(own.cpu_share)} of what it can have), ${bytes(own.rss_max_bytes)}`),
  row('server', facts.server_pids.length ? `process ${facts.server_pids.join(', ')}` : 'not watched'),
].filter(Boolean)))));
report.append(tables);

const drawAll = () => plots.forEach((draw) => draw());
drawAll();
let pending = 0;
addEventListener('resize', () => { cancelAnimationFrame(pending); pending = requestAnimationFrame(drawAll); });
