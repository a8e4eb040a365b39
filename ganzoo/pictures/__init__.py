"""What people look at: pictures read from files, grids of images, scatter plots of points. Nothing here samples."""
