export interface ProgressSeen {
  readonly rows: number;
  readonly seconds: number;
  /** of the input, in whatever unit */
  readonly done?: number;
  readonly total?: number | undefined;
}

const barWidth = 24;

/** `[######··················]  25 %  250,000 rows  25,000/s  0:30 left`; without a total only rows and rate. */
export function describeProgress({ rows, seconds, done = 0, total }: ProgressSeen): string {
  const counted = `${inThousands(rows)} rows  ${inThousands(seconds > 0 ? rows / seconds : 0)}/s`;
  if (total === undefined || total === 0) return counted;
  const share = Math.min(done / total, 1);
  const filled = Math.floor(share * barWidth);
  const bar = `[${'#'.repeat(filled)}${'·'.repeat(barWidth - filled)}]`;
  const left = share > 0 ? `  ${minutes((seconds * (1 - share)) / share)} left` : '';
  return `${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${counted}${left}`;
}

export function inThousands(number: number): string {
  return String(Math.round(number)).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

function minutes(seconds: number): string {
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
