import java.lang.management.ManagementFactory;
import java.util.concurrent.ForkJoinPool;

/** What a JVM takes the machine for: `Says cpus`, or `Says memory`, after which it waits. */
class Says {
    public static void main(String[] arguments) throws InterruptedException {
        if (arguments[0].equals("cpus")) {
            System.out.println(
                    "cpus " + Runtime.getRuntime().availableProcessors()
                            + " parallelism " + ForkJoinPool.commonPool().getParallelism());
            return;
        }
        var system =
                (com.sun.management.OperatingSystemMXBean)
                        ManagementFactory.getOperatingSystemMXBean();
        System.out.println(
                "total " + system.getTotalMemorySize() / 1024
                        + " free " + system.getFreeMemorySize() / 1024);
        Thread.sleep(2000);
    }
}
