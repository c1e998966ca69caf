import type { Stage } from '../map/stage';

let due: ReturnType<typeof setTimeout> | undefined;

/** Tells every item of the tree where its thing is on the map, once the map rests: for those who
 * click by program. */
export function tellPlaces(stage: Stage) {
  clearTimeout(due);
  due = setTimeout(() => {
    for (const item of document.querySelectorAll<HTMLElement>('[role=treeitem][data-id]')) {
      const place = stage.place(item.dataset.id!)?.map(Math.round).join(',');
      if (place) item.dataset.kinXy = place;
      else delete item.dataset.kinXy;
    }
  }, 60);
}
