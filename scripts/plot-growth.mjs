#!/usr/bin/env node
// The growth curves of docs/data-path.md: reads the newest figures of each kind from bench/results.ndjson and
// writes docs/growth.svg. Run it after `make bench ARGS=instructions` and `make bench ARGS=forward`.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const newest = new Map();
for (const line of readFileSync(`${root}bench/results.ndjson`, "utf8").split("\n")) {
  if (line.trim()) {
    const row = JSON.parse(line);
    newest.set(row.what, row);
  }
}

/** Points [x, y] of all rows whose name matches; the first group is x. */
function points(pattern, value) {
  const found = [];
  for (const [what, row] of newest) {
    const match = what.match(pattern);
    if (match && value(row) !== null) found.push([Number(match[1]), value(row)]);
  }
  return found.sort(([a], [b]) => a - b);
}

const ours = (row) => row.ours;
const ratio = (row) => row.ratio;
const charts = [
  {
    title: "Instructions a packet, by receivers",
    unit: "",
    least: 6000,
    step: 2000,
    lines: [
      ["sent", points(/^forward to (\d+) receivers$/, ours).filter(([x]) => x !== 50)],
      ["sent to browsers, with their feedback", points(/^forward to (\d+) browsers/, ours)],
    ],
  },
  {
    title: "Instructions a packet, by publishers",
    unit: "",
    least: 6000,
    step: 2000,
    lines: [
      ["received", points(/^receive from (\d+) publishers$/, ours)],
      ["sent, in a meeting of 50", points(/^forward, (\d+) of 50 people publish$/, ours)],
    ],
  },
  {
    title: "CPU as a ratio to the floor, by receivers",
    unit: " x",
    least: 1.4,
    step: 0.2,
    lines: [
      ["mmsg, 0.3 Mbit/s", points(/^forward, mmsg, 0\.3 Mbit\/s to (\d+)$/, ratio)],
      ["mmsg, 1 Mbit/s", points(/^forward, mmsg, 1 Mbit\/s to (\d+)$/, ratio)],
      ["io_uring, 0.3 Mbit/s", points(/^forward, io_uring, 0\.3 Mbit\/s to (\d+)$/, ratio)],
      ["io_uring, 1 Mbit/s", points(/^forward, io_uring, 1 Mbit\/s to (\d+)$/, ratio)],
    ],
  },
];

const [width, height, gap] = [320, 190, 40];
const colours = ["#2f6fd0", "#c2571a", "#2f8f5b", "#8a4fc0"];
const text = (x, y, words, more = "") => `<text x="${x}" y="${y}" ${more}>${words}</text>`;

function chart({ title, unit, least, step, lines }, left) {
  const drawn = lines.filter(([, all]) => all.length > 0);
  if (drawn.length === 0) throw new Error(`bench/results.ndjson has nothing for "${title}"`);
  const all = drawn.flatMap(([, line]) => line);
  const xs = [...new Set(all.map(([x]) => x))].sort((a, b) => a - b);
  const [low, high] = [Math.log(xs[0]), Math.log(xs.at(-1))];
  const top = Math.max(least, ...all.map(([, y]) => y)) * 1.08;
  const px = (x) => left + ((Math.log(x) - low) / (high - low || 1)) * width;
  const py = (y) => 40 + height - (y / top) * height;
  const out = [text(left, 20, title, 'class="title"')];
  for (let value = 0; value <= top; value += step) {
    const y = py(value);
    const label = unit ? value.toFixed(1) + unit : value.toLocaleString("en");
    out.push(`<path class="grid" d="M${left} ${y}h${width}"/>`);
    out.push(text(left - 6, y + 4, label, 'text-anchor="end"'));
  }
  let end = -Infinity;
  for (const x of xs) {
    if (px(x) - end < 34) continue;
    end = px(x);
    out.push(text(px(x), 40 + height + 16, x, 'text-anchor="middle"'));
  }
  drawn.forEach(([name, line], n) => {
    const path = line.map(([x, y], i) => `${i ? "L" : "M"}${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join("");
    const colour = colours[n];
    out.push(`<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const [x, y] of line) {
      out.push(`<circle cx="${px(x).toFixed(1)}" cy="${py(y).toFixed(1)}" r="3" fill="${colour}"/>`);
    }
    const y = 40 + height + 38 + n * 16;
    out.push(`<path d="M${left} ${y - 4}h16" stroke="${colour}" stroke-width="2"/>`, text(left + 22, y, name));
  });
  return out.join("\n");
}

const left = (n) => 60 + n * (width + gap + 40);
const total = [left(charts.length) - gap, height + 148];
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total.join(" ")}" font-family="sans-serif" font-size="12">
<style>text{fill:#333}.title{font-size:14px;font-weight:600}.grid{stroke:#ddd}</style>
<rect width="100%" height="100%" fill="#fff"/>
${charts.map((one, n) => chart(one, left(n))).join("\n")}
</svg>
`;
writeFileSync(`${root}docs/growth.svg`, svg);
