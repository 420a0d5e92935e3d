DROP TABLE recognition_items;
