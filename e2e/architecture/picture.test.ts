import { expect, test } from 'vitest';
import { withPicture } from '../../scripts/architecture/picture.mjs';

const room = (name: string, may: string[]) => ({
  name,
  does: `is ${name}.`,
  in: [],
  may,
  packages: [],
  builtins: [],
});
const house = { rooms: [room('below', []), room('above/roof', ['below'])], privileges: [] };
const empty = `# Title

<!-- drawn from architecture.json by \`npm run architecture -- --write\` -->
<!-- end of the drawn part -->

The rest.
`;

test('rooms and arrows are drawn between the markers, and the text around them stays', () => {
  const drawn = withPicture(house, empty);
  expect(drawn).toContain('above_roof --> below');
  expect(drawn).toContain('subgraph above');
  expect(drawn.startsWith('# Title\n')).toBe(true);
  expect(drawn.endsWith('\n\nThe rest.\n')).toBe(true);
});

test('drawing twice changes nothing', () => {
  const drawn = withPicture(house, empty);
  expect(withPicture(house, drawn)).toBe(drawn);
});

test('a new arrow makes the old picture stale', () => {
  const drawn = withPicture(house, empty);
  const wider = { ...house, rooms: [...house.rooms, room('beside', ['below'])] };
  expect(withPicture(wider, drawn)).not.toBe(drawn);
});

test('a document without the markers is refused', () => {
  expect(() => withPicture(house, '# Title')).toThrow('lacks the lines');
});
