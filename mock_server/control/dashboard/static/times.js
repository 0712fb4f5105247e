// Writes instants and durations for people.

const UNITS = [["d", 86400000], ["h", 3600000], ["min", 60000], ["s", 1000]];

// An instant in UTC, such as 2026-11-24 17:51:16.628.
export const written = (ms) => new Date(ms).toISOString().replace("T", " ").slice(0, 23);
export const timeOfDay = (ms) => written(ms).slice(11);

// A duration in its two largest units, such as 450 ms, 28.4 s, 2 min 5 s, 15 d.
export const duration = (ms) => {
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const first = UNITS.findIndex(([, size]) => ms >= size);
  const [unit, size] = UNITS[first];
  const [nextUnit, nextSize] = UNITS[first + 1];
  const rest = Math.floor((ms % size) / nextSize);
  const whole = `${Math.floor(ms / size)} ${unit}`;
  return rest ? `${whole} ${rest} ${nextUnit}` : whole;
};

export const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
